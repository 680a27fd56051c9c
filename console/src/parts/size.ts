// readableSize is a number of bytes as people say it.
export function readableSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB']
  let n = bytes
  let unit = 0
  for (; n >= 1024 && unit < units.length - 1; unit++) n /= 1024
  return `${unit === 0 ? n : n.toFixed(1)} ${units[unit]}`
}
