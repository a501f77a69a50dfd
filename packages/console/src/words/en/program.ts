export const program = {
  title: 'Program',
};
