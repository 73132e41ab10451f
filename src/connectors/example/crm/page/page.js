/* global addEventListener, confirm, document, location, scrollTo, sessionStorage */

const byId = id => document.getElementById(id)
const main = byId('main')
const user = byId('user')
const search = byId('search')

/** Makes an element; text goes in as text nodes only, so that no record can bring markup or script. */
function element (name, properties = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(properties)) key in made ? made[key] = value : made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** Asks the API as the chosen user; throws an error with the API's own message. */
async function api (method, path, body) {
  const answer = await fetch(`/api${path}`, {
    method,
    credentials: 'omit', // else the browser asks for a password of its own when a key is refused
    headers: {
      authorization: `Basic ${btoa(`${user.value}:`)}`,
      ...(body && { 'content-type': 'application/json' })
    },
    ...(body && { body: JSON.stringify(body) })
  })
  if (answer.status === 204) return null
  const content = await answer.json()
  if (!answer.ok) throw new Error(content.error.message)
  return content
}

const say = message => { byId('status').textContent = message }

/** What the next view says when it is there. */
let notice = ''
function goTo (hash, message) {
  notice = message
  location.hash = hash
}

const times = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
const time = iso => element('time', { dateTime: iso }, times.format(new Date(iso)))
const kinds = { call: 'Call', message: 'Message' }
const reach = contact => contact.phone ?? (contact.number === null ? 'No phone' : `Extension ${contact.number}`)
const openDeals = contact => contact.deals.filter(deal => deal.status === 'open').length
const digits = text => text.replace(/\D/g, '')

function duration (seconds) {
  const minutes = Math.floor(seconds / 60)
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`
}

function fields (rows) {
  return element('dl', {}, ...rows.filter(([, value]) => value !== null && value !== '')
    .flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]))
}

let contacts = []

function showContacts () {
  const wanted = search.value.trim().toLowerCase()
  const shown = contacts.filter(({ name, phone, number }) => name.toLowerCase().includes(wanted) ||
    (digits(wanted) !== '' && digits(`${phone} ${number}`).includes(digits(wanted))))
  byId('contacts').replaceChildren(...shown.map(contact => {
    const deals = openDeals(contact)
    const tag = contact.type === 'Lead' ? [' ', element('span', { className: 'tag' }, 'Lead')] : []
    const link = element('a', { href: `#/contacts/${contact.id}` },
      element('strong', {}, contact.name, ...tag),
      element('small', {}, reach(contact), deals > 0 ? ` · ${deals} open ${deals === 1 ? 'deal' : 'deals'}` : ''))
    if (location.hash === `#/contacts/${contact.id}`) link.setAttribute('aria-current', 'page')
    return element('li', {}, link)
  }))
}

function activityList (activities) {
  if (activities.length === 0) return element('p', { className: 'soft' }, 'No calls or messages are logged yet.')
  return element('ul', {}, ...activities.map(activity => {
    const contact = contacts.find(({ id }) => id === activity.contactId)
    return element('li', {}, element('a', { href: `#/activities/${activity.id}` },
      element('strong', {}, activity.subject),
      element('small', {}, `${kinds[activity.type]} · ${contact?.name ?? 'Unknown'} · `, time(activity.startTime))))
  }))
}

async function overview () {
  const { items } = await api('GET', '/activities?limit=200')
  return ['Activities', element('section', {}, element('h1', { tabIndex: -1 }, 'Activities'), activityList(items))]
}

async function contactView (id) {
  const contact = await api('GET', `/contacts/${id}`)
  const { items } = await api('GET', `/activities?contactId=${id}&limit=200`)
  const deals = contact.deals.map(deal => element('div', {}, `${deal.title} (${deal.status})`))
  return [contact.name,
    element('section', {},
      element('h1', { tabIndex: -1 }, contact.name),
      fields([
        ['Type', contact.type],
        ['Phone', contact.phone],
        ['Extension', contact.number],
        ['Company', contact.company],
        ['Deals', deals.length > 0 ? element('div', {}, ...deals) : null]
      ])),
    element('section', {}, element('h2', {}, 'Activities'), activityList(items))]
}

/** The body as the CRM shows it: in a frame where no script runs and whose look does not reach the page. */
function bodyFrame (html) {
  const frame = element('iframe', { title: 'Body', referrerPolicy: 'no-referrer' })
  frame.setAttribute('sandbox', 'allow-same-origin allow-popups allow-popups-to-escape-sandbox')
  frame.addEventListener('load', () => { frame.style.height = `${frame.contentDocument.documentElement.scrollHeight + 2}px` })
  frame.srcdoc = `<!doctype html><base target="_blank"><link rel="stylesheet" href="/body.css"><body>${html}`
  return frame
}

async function activityView (id) {
  const activity = await api('GET', `/activities/${id}`)
  const { items: users } = await api('GET', '/users')
  const contact = await api('GET', `/contacts/${activity.contactId}`)

  async function remove () {
    if (!confirm(`Delete "${activity.subject}" for good?`)) return
    try {
      await api('DELETE', `/activities/${id}`)
      goTo(`#/contacts/${activity.contactId}`, 'Deleted.')
    } catch (error) {
      say(error.message)
    }
  }

  return [activity.subject, element('section', {},
    element('h1', { tabIndex: -1 }, activity.subject),
    fields([
      ['Contact', element('a', { href: `#/contacts/${contact.id}` }, contact.name)],
      ['Type', kinds[activity.type]],
      ['Started', time(activity.startTime)],
      ['Duration', activity.durationSeconds === null ? null : duration(activity.durationSeconds)],
      ['Direction', activity.direction],
      ['Outcome', activity.outcome],
      ['Deal', contact.deals.find(deal => deal.id === activity.dealId)?.title ?? null],
      ['Owner', users.find(({ id }) => id === activity.ownerId)?.name ?? null],
      ['External id', activity.externalId],
      ['Last changed', time(activity.updatedAt)]
    ]),
    element('h2', {}, 'Body'),
    activity.body === '' ? element('p', { className: 'soft' }, 'Empty.') : bodyFrame(activity.body),
    element('div', { className: 'actions' },
      element('a', { className: 'button', href: `#/activities/${id}/edit` }, 'Edit'),
      element('button', { type: 'button', className: 'danger', onclick: remove }, 'Delete')))]
}

async function editView (id) {
  const activity = await api('GET', `/activities/${id}`)
  const subject = element('input', { value: activity.subject, required: true })
  const body = element('textarea', { value: activity.body, spellcheck: false })
  const shown = { subject: subject.value, body: body.value } // the fields write line ends in their own way
  const alert = element('p', { role: 'alert' })

  async function save (event) {
    event.preventDefault()
    try {
      // Only what the person changed is sent: the rest may have been changed by somebody else meanwhile.
      const changes = {
        ...(subject.value !== shown.subject && { subject: subject.value }),
        ...(body.value !== shown.body && { body: body.value })
      }
      if (Object.keys(changes).length > 0) await api('PATCH', `/activities/${id}`, changes)
      goTo(`#/activities/${id}`, 'Saved.')
    } catch (error) {
      alert.textContent = error.message
    }
  }

  return ['Edit', element('section', {},
    element('h1', { tabIndex: -1 }, 'Edit activity'),
    element('form', { onsubmit: save },
      element('label', { className: 'stacked' }, 'Subject', subject),
      element('label', { className: 'stacked' }, 'Body, as HTML', body),
      alert,
      element('div', { className: 'actions' },
        element('button', { className: 'main' }, 'Save'),
        element('a', { className: 'button', href: `#/activities/${id}` }, 'Cancel'))))]
}

const views = [
  [/^#\/contacts\/(\d+)$/, contactView],
  [/^#\/activities\/(\d+)$/, activityView],
  [/^#\/activities\/(\d+)\/edit$/, editView],
  [/^/, overview]
]

function failureView (error) {
  return ['Not shown', element('section', {},
    element('h1', { tabIndex: -1 }, 'This cannot be shown'),
    element('p', { role: 'alert' }, error.message))]
}

let turn = 0

/** Shows what the address asks for; a slower answer for an earlier address is left out. */
async function show ({ moveFocus }) {
  const mine = ++turn
  const [pattern, view] = views.find(([pattern]) => pattern.test(location.hash))
  const [, id] = pattern.exec(location.hash)
  const load = async () => {
    contacts = (await api('GET', '/contacts')).items
    return view(id)
  }
  const [title, ...sections] = await load().catch(failureView)
  if (mine !== turn) return

  const back = id === undefined ? [] : [element('p', { className: 'back' }, element('a', { href: '#/' }, 'All activities'))]
  main.replaceChildren(...back, ...sections)
  showContacts()
  document.title = `${title} · Example CRM`
  document.body.classList.toggle('record', id !== undefined)
  say(notice)
  notice = ''
  if (moveFocus) {
    scrollTo(0, 0)
    main.querySelector('h1').focus({ preventScroll: true })
  }
}

/** Shows the same anew, unless somebody is typing there. */
async function refresh () {
  if (!location.hash.endsWith('/edit')) await show({ moveFocus: false })
}

user.value = sessionStorage.getItem('key') ?? user.value
if (user.value === '') user.selectedIndex = 0
user.addEventListener('change', async () => {
  sessionStorage.setItem('key', user.value)
  await refresh()
})
search.addEventListener('input', showContacts)
addEventListener('hashchange', () => show({ moveFocus: true }))
document.addEventListener('visibilitychange', async () => {
  if (!document.hidden) await refresh()
})
await show({ moveFocus: false })
