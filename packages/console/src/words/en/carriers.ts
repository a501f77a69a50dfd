export const carriers = {
  title: 'Carriers',
};
