/** The waveform: wavesurfer over peaks that were made here, so that nothing is decoded twice. */
import { useEffect, useRef, useState } from 'react';
import WaveSurfer from 'wavesurfer.js';
import type { Recording } from './fetch-recording.ts';

const channelHeight = 56;

export interface Playback {
  readonly container: React.RefObject<HTMLDivElement | null>;
  readonly playing: boolean;
  /** Seconds. */
  readonly at: number;
  readonly play: () => void;
  readonly pause: () => void;
  readonly seek: (seconds: number) => void;
  readonly setSpeed: (speed: number) => void;
}

/** Only one recording sounds at a time. */
let sounding: WaveSurfer | undefined;

export function usePlayback(recording: Recording): Playback {
  const container = useRef<HTMLDivElement>(null);
  const surfer = useRef<WaveSurfer>(undefined);
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  useEffect(() => {
    const element = container.current;
    if (!element) return;
    adoptStyles(element);
    const wave = create(element, recording);
    surfer.current = wave;
    wave.on('play', () => {
      if (sounding !== wave) sounding?.pause();
      sounding = wave;
      setPlaying(true);
    });
    wave.on('pause', () => setPlaying(false));
    wave.on('finish', () => setPlaying(false));
    wave.on('timeupdate', setAt);
    const stop = onSchemeChange(() => wave.setOptions(colours(element, recording.channels)));
    return () => {
      stop();
      if (sounding === wave) sounding = undefined;
      wave.destroy();
    };
  }, [recording]);
  return {
    container,
    playing,
    at,
    play: () => void surfer.current?.play().catch(() => undefined),
    pause: () => surfer.current?.pause(),
    seek: (seconds) => surfer.current?.setTime(Math.max(0, Math.min(recording.seconds, seconds))),
    setSpeed: (speed) => surfer.current?.setPlaybackRate(speed, true),
  };
}

function create(element: HTMLElement, recording: Recording): WaveSurfer {
  return WaveSurfer.create({
    container: element,
    url: recording.url,
    peaks: [...recording.shape.peaks],
    duration: recording.seconds,
    height: channelHeight,
    cursorWidth: 2,
    normalize: true,
    dragToSeek: true,
    barWidth: 2,
    barGap: 1,
    ...colours(element, recording.channels),
  });
}

/** Resolved through an element, as a canvas doesn't know custom properties nor light-dark(). */
function colours(element: HTMLElement, channels: number) {
  const probe = document.createElement('span');
  element.append(probe);
  const resolved = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const splitChannels = ['--caller', '--callee'].slice(0, channels).map((name) => ({
    waveColor: faded(resolved(name)),
    progressColor: resolved(name),
    height: channelHeight,
  }));
  const cursorColor = resolved('--text');
  probe.remove();
  return { splitChannels, cursorColor };
}

/** Calls when what `light-dark()` gives may have changed. */
function onSchemeChange(changed: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const own = new MutationObserver(changed);
  own.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  system.addEventListener('change', changed);
  return () => {
    own.disconnect();
    system.removeEventListener('change', changed);
  };
}

function faded(colour: string): string {
  return colour.replace(/^rgb\(([^)]*)\)$/, 'rgba($1, 0.55)');
}

/**
 * Its styles stand in a style element, which our content security policy refuses. They are taken as a constructed
 * sheet just before the shadow root comes into the page.
 */
function adoptStyles(element: HTMLElement): void {
  element.appendChild = (child) => {
    const shadow = child instanceof HTMLElement ? child.shadowRoot : null;
    const style = shadow?.querySelector('style');
    if (shadow && style) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(style.textContent);
      shadow.adoptedStyleSheets = [sheet];
      style.remove();
    }
    return Node.prototype.appendChild.call(element, child) as typeof child;
  };
}
