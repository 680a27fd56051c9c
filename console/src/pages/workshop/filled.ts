// filled leaves out what was left empty: the API has its own idea of that.
export const filled = <T extends object>(v: T) => Object.fromEntries(Object.entries(v).filter(([, x]) => x !== '' && x !== undefined && x !== null)) as T
