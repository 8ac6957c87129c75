// Preloaded into the suite's server, which would listen on every interface of the machine: binds it to loopback instead.
import net from 'node:net'

const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (port, ...rest) {
  return listen.call(this, { host: '127.0.0.1', port: Number(port) }, ...rest)
}
