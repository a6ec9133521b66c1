// The versions of Docker's Engine API that are served.

/** The newest, and what a path without `/v1.NN` means. */
export const apiVersion = '1.51';
export const minApiVersion = '1.24';
