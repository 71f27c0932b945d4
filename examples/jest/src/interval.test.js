import { interval, lastValueFrom, map, take, toArray } from './rxjs/index.js'

test('counts', async () => {
  const counts = interval(1).pipe(
    take(3),
    map(count => count * 2),
    toArray(),
  )
  expect(await lastValueFrom(counts)).toEqual([0, 2, 4])
})
