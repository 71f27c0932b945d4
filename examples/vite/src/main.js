import { interval } from './rxjs/index.js'
import { textOf } from './text.js'

interval(1000).subscribe(count => {
  document.querySelector('#seconds').textContent = textOf(count)
})

if (import.meta.hot) import.meta.hot.accept('./text.js')
