export const profile = {
  title: 'Profile and security',
};
