export const invitation = {
  title: 'Welcome',
  hello: (name: string) => `Hello ${name}. Choose a password for the console.`,
  password: 'New password',
  passwordHint:
    '12 to 200 characters. A few words that have nothing to do with each other are good; your name and the best-known passwords are not taken.',
  go: 'Set the password and log in',
  invalidTitle: 'This link does not work',
  invalid: 'It was used, has expired, or was never given out. Ask an administrator for a new one.',
  toLogin: 'To the log-in',
  weak: 'This password is too easy to guess: it is too short, a pattern, well known, or holds your name.',
};
