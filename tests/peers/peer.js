// A peer in JavaScript: says the lines of its standard input, a message each, and prints what it hears.
// node peer.js client|server PORT [PIECE]     PIECE: bytes a write, so that a frame comes in many segments
const net = require('net');
const lines = require('fs').readFileSync(0, 'utf8').split('\n').slice(0, -1);
const [role, port, piece = 258] = process.argv.slice(2);

function talk(socket) {
  let received = Buffer.alloc(0);
  let ourTurn = role === 'client';
  socket.setNoDelay(true);

  function say() {
    const body = Buffer.from(lines.length ? lines.shift() : 'BYEBYE');
    const frame = Buffer.concat([Buffer.from(String(body.length).padStart(3, '0')), body]);
    for (let sent = 0; sent < frame.length; sent += +piece) {
      socket.write(frame.subarray(sent, sent + +piece));
    }
    ourTurn = false;
    if (body.equals(Buffer.from('BYEBYE'))) socket.end();
  }

  socket.on('data', (data) => {
    received = Buffer.concat([received, data]);
    if (ourTurn) throw new Error(`out of turn: ${data}`);
    const header = received.toString('latin1', 0, 3);
    if (!/^[0-9]{0,3}$/.test(header) || +header > 255) throw new Error(`not a length: ${header}`);
    if (received.length < 3 || received.length < 3 + +header) return;
    const body = received.toString('utf8', 3, 3 + +header);
    received = received.subarray(3 + +header);
    console.log(body);
    ourTurn = true;
    if (body === 'BYEBYE') socket.end();
    else say();
  });
  socket.on('error', (error) => { console.error(error.message); process.exit(1); });
  if (ourTurn) say();
}

if (role === 'server') {
  const server = net.createServer((socket) => { server.close(); talk(socket); });
  server.listen(+port, '127.0.0.1', () => console.log(`listening on port ${server.address().port}`));
} else {
  const socket = net.connect(+port, '127.0.0.1', () => talk(socket));
}
