// first is a script to begin with: a report of one byte behind a head, and its
// way back.
export const first = (dialect: string) => `// Bytes of the device to a message: AA 01 1F means property Temperature is 31.
function rawDataToProtocol(bytes) {
  console.log('got', bytes.length, 'bytes')
${dialect === 'onenet'
    ? "  return { id: '1', version: '1.0', params: { Temperature: { value: bytes[2] } } }"
    : "  return { method: 'thing.event.property.post', id: '1', version: '1.0', params: { Temperature: bytes[2] } }"}
}

// A message to bytes for the device.
function protocolToRawData(json) {
  return [0xAA, 0x02, json.params && json.params.Switch ? 1 : 0]
}
`
