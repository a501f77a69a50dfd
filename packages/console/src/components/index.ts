/** What pages are made of. Nothing here knows a page or a resource. */
export * from './basics.tsx';
export * from './dialog.tsx';
export * from './error-box.tsx';
export * from './forms.tsx';
export * from './table.tsx';
export * from './tabs.tsx';
export * from './toast.tsx';
