// A server that answers the client that connected last, and not the one that asked.
// zoo: server turnchat
// fails: many/answer

const net = require("node:net");
const readline = require("node:readline");

const MOST = 255;
const lines = []; // typed, and not sent yet
const waiting = new Set(); // sockets that wait for an answer
let current = null; // the mistake: one variable for all clients

function readable(body) {
  const hex = (char) => "\\u{" + char.codePointAt(0).toString(16) + "}";
  return body.toString("utf8").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, hex);
}

function forget(client, why) {
  console.log("a client is gone:", why);
  waiting.delete(client);
  client.destroy();
}

function answer() {
  while (lines.length && waiting.size) {
    const line = lines.shift();
    const body = Buffer.from(line);
    if (body.length > MOST) {
      console.log(`not sent: ${body.length} bytes, ${MOST} is the most`);
      continue;
    }
    const client = current.destroyed ? [...waiting][0] : current;
    waiting.delete(client);
    client.write(Buffer.concat([Buffer.from(String(body.length).padStart(3, "0")), body]));
    if (line === "BYEBYE") sayGoodbye(client);
  }
}

function sayGoodbye(client) {
  client.isLeaving = true;
  client.end();
}

function hear(client, piece) {
  if (client.isLeaving) return;
  if (waiting.has(client)) return forget(client, "it spoke out of turn");
  client.data = Buffer.concat([client.data, piece]);
  const header = client.data.subarray(0, 3).toString("latin1");
  if (!/^[0-9]{1,3}$/.test(header) || Number(header) > MOST) return forget(client, "a bad length");
  const end = 3 + Number(header);
  if (header.length < 3 || client.data.length < end) return;
  const body = client.data.subarray(3, end);
  console.log("client>", readable(body));
  if (body.equals(Buffer.from("BYEBYE"))) return sayGoodbye(client);
  if (client.data.length > end) return forget(client, "it spoke out of turn");
  client.data = Buffer.alloc(0);
  waiting.add(client);
  answer();
}

const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  current = client;
  client.data = Buffer.alloc(0);
  client.on("data", (piece) => hear(client, piece));
  client.on("end", () => forget(client, "its stream has ended"));
  client.on("error", (error) => forget(client, error.message));
});
server.on("error", (error) => {
  console.error(`cannot listen: ${error.message}`);
  process.exit(1);
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  console.log("listening on port", process.argv[2]);
});
readline.createInterface({ input: process.stdin, terminal: false }).on("line", (line) => {
  lines.push(line);
  answer();
});
