const coarse = 2_000 // what the whole seconds of an answer's date and its way here may add, in milliseconds

let ahead = 0 // by which the visitor's clock is before the server's, in milliseconds

// heard reads the server's clock from the date of an answer.
export function heard(date: string | null) {
  const difference = Date.now() - Date.parse(date ?? '')
  if (!Number.isNaN(difference)) ahead = Math.abs(difference) > coarse ? difference : 0
}

// serverNow is the time by the server's clock: what happened within the last
// hour is asked for by it, whatever the visitor's clock says.
export const serverNow = () => Date.now() - ahead
