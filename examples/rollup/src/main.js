import { interval } from './rxjs/index.js'

interval(1000).subscribe(count => {
  console.log(`${count} seconds`)
})
