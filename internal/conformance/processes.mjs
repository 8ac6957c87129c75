// Child processes of a run: each is started here, its last words are kept, and all are stopped by their own pid.
import { spawn } from 'node:child_process'
import net from 'node:net'

const running = new Set()
const startLimit = 10_000 // ms until a process listens
const stopLimit = 5_000 // ms until a process that was asked to stop is killed
const keep = 4096 // characters of output kept for error messages

// start runs command; child.tail() gives the end of what it printed. With show, output goes through to ours as well.
export function start (name, command, args, { show = false, ipc = false, ...options } = {}) {
  const stdio = ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc'] : [])]
  const child = spawn(command, args, { ...options, stdio })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', text => {
      output = (output + text).slice(-keep)
      if (show) process.stdout.write(text)
    })
  }
  child.title = name
  child.tail = () => output.trim()
  child.ended = new Promise(resolve => {
    child.once('error', err => { output += err.message; resolve(`could not start: ${err.message}`) })
    child.once('close', (code, signal) => resolve(signal ? `ended by ${signal}` : `ended with exit code ${code}`))
  }).then(how => { child.how = how; running.delete(child); return how })
  running.add(child)
  return child
}

// ready waits until test() gives a value; it fails when the child ends or the time is up.
async function ready (child, test) {
  for (const end = Date.now() + startLimit; Date.now() < end;) {
    if (child.how !== undefined) throw new Error(died(child))
    const value = await test()
    if (value) return value
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  throw new Error(`${child.title} did not listen within ${startLimit / 1000} s:\n${child.tail()}`)
}

// died describes a child that is gone, with what it said last.
export function died (child) {
  return `${child.title} ${child.how}:\n${child.tail()}`
}

// listening waits until the child accepts connections on a loopback port.
export function listening (child, port) {
  return ready(child, () => new Promise(resolve => {
    const socket = net.connect(port, '127.0.0.1')
    socket.once('connect', () => { socket.destroy(); resolve(true) })
    socket.once('error', () => resolve(false))
  }))
}

// printed waits until the child has printed a match and gives its first group.
export function printed (child, pattern) {
  return ready(child, async () => child.tail().match(pattern)?.[1])
}

// freePorts asks the kernel for n different loopback ports that nobody listens on.
export async function freePorts (n) {
  const servers = []
  for (let i = 0; i < n; i++) {
    const server = net.createServer()
    await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    servers.push(server)
  }
  const ports = servers.map(server => server.address().port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}

// stopAll asks every child to end, kills those that have not after grace milliseconds, and returns when all are gone.
export async function stopAll (grace = stopLimit) {
  const children = [...running]
  for (const child of children) child.kill('SIGTERM')
  const killer = setTimeout(() => children.forEach(child => child.kill('SIGKILL')), grace)
  await Promise.all(children.map(child => child.ended))
  clearTimeout(killer)
}
