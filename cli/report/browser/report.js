// The script of a report: opens rectangles of the map of sizes, and moves the focus in it. The page says all it has to say without it.
;(() => {
  const map = document.getElementById('map')
  const back = document.getElementById('map-back')
  const status = document.getElementById('map-status')
  addEventListener('beforeprint', () => {
    for (const each of document.querySelectorAll('details')) each.open = true
  })
  if (!map) return

  const cells = [...map.querySelectorAll('.cell')].map(element => {
    const [x, y, width, height] = element.dataset.place.split(' ').map(Number)
    return { element, x, y, width, height, parent: undefined, children: [] }
  })
  const cellOf = new Map(cells.map(cell => [cell.element, cell]))
  for (const cell of cells) {
    const { parent } = cell.element.dataset
    if (parent === '') continue
    cell.parent = cells[Number(parent)]
    cell.parent.children.push(cell)
    cell.parent.element.classList.add('parent')
  }
  let opened = cells[0]
  let focused = cells[0]

  const isWithin = (cell, outer) => {
    for (let each = cell; each; each = each.parent) if (each === outer) return true
    return false
  }
  const percent = share => `${(share * 100).toFixed(3)}%`

  /** Has the cell fill the map. */
  function open(cell) {
    opened = cell
    for (const each of cells) {
      const { element, x, y, width, height } = each
      element.classList.toggle('away', !isWithin(each, cell))
      element.classList.toggle('small', width / cell.width < 0.05 || height / cell.height < 0.035)
      element.setAttribute('x', percent((x - cell.x) / cell.width))
      element.setAttribute('y', percent((y - cell.y) / cell.height))
      element.setAttribute('width', percent(width / cell.width))
      element.setAttribute('height', percent(height / cell.height))
    }
    back.hidden = !cell.parent
  }

  function focus(cell) {
    if (!cell) return
    if (!isWithin(cell, opened)) open(cell.children.length > 0 ? cell : cell.parent)
    focused.element.setAttribute('tabindex', '-1')
    focused = cell
    cell.element.setAttribute('tabindex', '0')
    cell.element.focus()
    status.textContent = cell.element.querySelector('title').textContent
  }

  /** Opens what has something in it, else what it is in. */
  function enter(cell) {
    const inner = cell.children.length > 0 ? cell : cell.parent
    if (inner) open(inner)
    focus(cell)
  }

  function leave() {
    if (opened.parent) open(opened.parent)
    focus(focused)
  }

  function beside(cell, step) {
    const siblings = cell.parent?.children ?? [cell]
    return siblings[siblings.indexOf(cell) + step]
  }

  const KEYS = {
    ArrowRight: () => focus(focused.children[0]),
    ArrowLeft: () => focus(focused.parent),
    ArrowDown: () => focus(beside(focused, 1)),
    ArrowUp: () => focus(beside(focused, -1)),
    Home: () => focus(cells[0]),
    Enter: () => enter(focused),
    ' ': () => enter(focused),
    Escape: leave,
  }

  map.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(KEYS, event.key)) return
    event.preventDefault()
    KEYS[event.key]()
  })
  map.addEventListener('focusin', event => {
    const cell = cellOf.get(event.target)
    if (cell && cell !== focused) focus(cell)
  })
  map.addEventListener('click', event => {
    const cell = cellOf.get(event.target.closest('.cell'))
    if (cell) enter(cell)
  })
  back.addEventListener('click', leave)
})()
