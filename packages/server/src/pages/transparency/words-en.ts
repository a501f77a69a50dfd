import { lengthOf } from './lengths.ts';
import type { Words } from './words.ts';

export const english: Words = {
  tag: 'en',
  languageName: 'English',
  skip: 'Skip to the content',
  title: 'Who can reach you',
  intro: (business) =>
    `${business} connects you with others through a virtual number, so that nobody has to know your own. Here you see what happens with your data, and you can end it.`,
  keepLink: 'This page is for you alone. Do not pass its link on.',
  reference: 'Job',
  youAre: 'Your part in it',
  status: {
    scheduled: 'Contact has not begun yet.',
    open: 'Contact is open.',
    'after-close': 'The job is done. For a while you can still be called about it.',
    closed: 'Contact has ended. Nobody can reach you through this number any more.',
    expired: 'Contact has ended, as its time was over. Nobody can reach you through this number any more.',
  },
  since: 'Since',
  until: 'Ends at the latest',
  ended: 'Ended',
  shownUntil: (days) => `You can see this page for ${days} days after the end.`,
  reach: {
    title: 'Who can reach you',
    nobody: 'Nobody can reach you through this number.',
    call: (role) => `${role}: can call you through the virtual number.`,
    callAndText: (role) => `${role}: can call and text you through the virtual number.`,
    notCall: (role) => `${role}: cannot call you, but you can call them.`,
    narrowed: 'The company may limit this further, for example to certain hours.',
    afterClose: (roles, time) => `After the end, these may still call you for ${time}: ${roles}.`,
    blocked: 'You have blocked the others.',
  },
  shared: {
    title: 'What the others see',
    number: 'Your virtual number',
    numberWhy: 'The others see this number only. It works for this job alone.',
    phone: 'Your own phone number: not shared',
    phoneWhy: (business) => `It is kept encrypted by ${business} and shown to none of the others.`,
    name: 'Your name: not shared',
    nameWhy: 'The others are not told your name through this service.',
  },
  recording: {
    title: 'Recording',
    mode: {
      off: 'Calls are not recorded.',
      announce: 'Calls are recorded. Both sides hear so before the recording begins.',
      consent: 'A call is recorded only when both sides agree by pressing a key.',
    },
    kept: (days) =>
      `Recordings are kept encrypted for ${days} days and then deleted; longer only while a complaint is being looked into.`,
  },
  calls: {
    title: 'Calls',
    none: 'There were no calls.',
    direction: { in: 'You were called', out: 'You called' },
    outcome: {
      running: 'going on now',
      connected: 'connected',
      busy: 'busy',
      'no-answer': 'no answer',
      unavailable: 'could not be reached',
      cancelled: 'hung up before an answer',
      refused: 'not put through',
      interrupted: 'cut off by a fault',
      failed: 'did not work',
      other: 'ended',
    },
    length: (seconds) => `talked for ${english.seconds(seconds)}`,
    recorded: 'Recorded.',
    deleted: 'It was recorded; the recording has been deleted.',
    notRecorded: 'Not recorded.',
    listened: 'Listened to by',
    nobodyListened: 'Nobody has listened to it.',
    by: {
      staff: 'a member of the company’s team',
      system: 'the company’s computer system',
      self: 'you',
      platform: 'this service itself',
    },
    reason: 'Reason',
    earlier: 'Earlier calls',
    later: 'Later calls',
  },
  uses: {
    title: 'Other uses of your data',
    none: 'Your number was shown to nobody, and your data was not taken out or deleted.',
    kind: {
      reveal: 'Your phone number was shown',
      download: 'A recording was downloaded',
      export: 'A copy of your data was made',
      erase: 'Your data was erased',
      restrict: 'The use of your data was restricted',
    },
  },
  choices: {
    title: 'What you can do',
    sure: 'Please confirm',
    back: 'Back, change nothing',
  },
  action: {
    end: {
      title: 'End contact',
      explains: [
        'Nobody will be able to call anybody through this number any more, neither the others nor you.',
        'You cannot undo this yourself. If the job is still going on, ask the company for another way of contact.',
      ],
      button: 'End contact now',
      done: 'Contact has ended.',
    },
    block: {
      title: 'Block the others',
      explains: [
        'The others in this contact will not be able to reach you, now or in any later job with this company. You will not be able to reach them either.',
        'They are not told that you have blocked them.',
      ],
      button: 'Block',
      done: 'The others are blocked and cannot reach you any more.',
    },
    report: {
      title: 'Report a problem',
      explains: [
        'The company will look into it. For that its team may listen to recordings of this contact; you will see on this page who did, and why.',
        'The others are not shown your report.',
      ],
      button: 'Send report',
      done: 'Your report has been received. The company is looking into it.',
    },
    erase: {
      title: 'Ask for erasure',
      explains: [
        'You ask the company to erase what it holds about your phone number: the number, your name and recordings of your calls.',
        'The company decides, and may have to keep some records for as long as the law demands.',
      ],
      button: 'Ask for erasure',
      done: 'You have asked for erasure. The company will take care of it.',
    },
  },
  report: {
    category: 'What is it about?',
    categories: {
      harassment: 'Harassment or threats',
      safety: 'My safety',
      fraud: 'Fraud',
      quality: 'Poor connection or service',
      other: 'Something else',
    },
    call: 'Which call?',
    noCall: 'No call in particular',
    statement: 'What happened?',
    hint: (most) => `In your own words, at most ${most.toLocaleString('en')} characters.`,
    standing: 'You have reported a problem already. What you write now is added to it.',
    wrong: (most) =>
      `Your report was not sent. Please write between 1 and ${most.toLocaleString('en')} characters, and choose what it is about.`,
  },
  complain: {
    title: 'How to complain',
    how: (business) =>
      `Use “Report a problem” above, or write to ${business}’s customer service. If you are not content with what becomes of it, you can turn to the data protection authority of your country.`,
  },
  languages: 'Language',
  problem: {
    missing: {
      title: 'This link does not work',
      text: 'It may be mistyped, withdrawn, or its time is over. Ask the company that sent it to you for a new one.',
    },
    busy: {
      title: 'Too many requests',
      text: 'Please wait a minute and try again.',
    },
    later: {
      title: 'That did not work',
      text: 'Something went wrong on our side. Please try again later: doing it twice does no harm.',
    },
    stale: {
      title: 'Please go back and try again',
      text: 'This form could not be read. Open the page from your link again. Nothing was changed.',
    },
    unreachable: {
      title: 'There is nobody to block',
      text: 'No phone number of another person belongs to this contact.',
    },
  },
  roles: {
    agent: 'Agent',
    customer: 'Customer',
    driver: 'Driver',
    passenger: 'Passenger',
    courier: 'Courier',
    recipient: 'Recipient',
    seller: 'Seller',
    buyer: 'Buyer',
    support: 'Customer service',
  },
  seconds: (seconds) => lengthOf(seconds, { day: 'd', hour: 'h', minute: 'min', second: 's' }),
};
