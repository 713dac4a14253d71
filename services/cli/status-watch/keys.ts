const CTRL_C = '\u0003'
const CTRL_D = '\u0004'

type In = Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>

/** Calls `onQuit` at q, Esc, Ctrl-C or Ctrl-D, which do not come as signals while each key is read at once. */
export function quitKeys(input: In, onQuit: () => void): Disposable {
  if (!input.isTTY) return { [Symbol.dispose]() {} }
  const onData = (keys: Uint8Array) => {
    const text = new TextDecoder().decode(keys)
    if (text === 'q' || text === 'Q' || text === '\u001b' || text.includes(CTRL_C) || text.includes(CTRL_D))
      onQuit()
  }
  input.setRawMode(true)
  input.resume()
  input.on('data', onData)
  return {
    [Symbol.dispose]() {
      input.off('data', onData)
      input.setRawMode(false)
      input.pause()
    },
  }
}
