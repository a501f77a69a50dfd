/** Stands for a room that is being built: starts and stops, and refuses everything else. */
export function unbuilt<T>(room: string): T {
  return new Proxy({} as object, {
    get: (_target, name) => {
      if (name === 'start' || name === 'stop') return async () => {};
      if (name === 'then') return undefined;
      return () => {
        throw new Error(`${room}.${String(name)} is not built yet`);
      };
    },
  }) as T;
}
