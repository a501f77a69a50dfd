export const disputes = {
  title: 'Disputes',
};
