/** Runs `work` once with the next frame, however often it is asked for; in a hidden tab, without frames, within a second. */
export function batched(work: () => void): { ask: () => void; cancel: () => void } {
  let frame = 0
  let timer = 0
  const cancel = () => {
    cancelAnimationFrame(frame)
    window.clearTimeout(timer)
    timer = 0
  }
  const run = () => {
    cancel()
    work()
  }
  return {
    ask: () => {
      if (timer) return
      frame = requestAnimationFrame(run)
      timer = window.setTimeout(run, 1000)
    },
    cancel,
  }
}
