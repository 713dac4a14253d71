// Before anything is drawn, so that nothing flashes: light, dark, or as the system has it.
;(() => {
  const NEXT = { auto: 'light', light: 'dark', dark: 'auto' }
  const read = () => {
    try {
      return localStorage.getItem('freshet-theme') ?? 'auto'
    } catch {
      return 'auto' // storage is switched off
    }
  }
  let theme = read() in NEXT ? read() : 'auto'

  function show() {
    document.documentElement.dataset.theme = theme
    const button = document.getElementById('theme')
    if (button === null) return
    button.textContent = { auto: 'Auto', light: 'Light', dark: 'Dark' }[theme]
    button.setAttribute('aria-label', `Theme: ${theme}. Switch to ${NEXT[theme]}.`)
  }

  show()
  addEventListener('DOMContentLoaded', () => {
    show()
    document.getElementById('theme').addEventListener('click', () => {
      theme = NEXT[theme]
      try {
        localStorage.setItem('freshet-theme', theme)
      } catch {
        // it lasts as long as the page
      }
      show()
    })
  })
})()
