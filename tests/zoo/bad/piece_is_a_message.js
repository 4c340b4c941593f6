// A client that takes each piece of the stream for a whole message: TCP keeps no borders.
// zoo: client turnchat
// fails: frame/split/*

const net = require("node:net");
const readline = require("node:readline");

const MOST = 255;
const lines = []; // typed, and not sent yet
let isOurs = true;
let isOver = false;

function readable(body) {
  const hex = (char) => "\\u{" + char.codePointAt(0).toString(16) + "}";
  return body.toString("utf8").replace(/[\p{C}\p{Zl}\p{Zp}]/gu, hex);
}

function stop(why) {
  if (isOver) return;
  console.error(`the conversation is over: ${why}`);
  process.exit(1);
}

function sayGoodbye() {
  isOver = true;
  keyboard.close();
  server.end();
}

function saySomething() {
  while (isOurs && !isOver && lines.length) {
    const line = lines.shift();
    const body = Buffer.from(line);
    if (body.length > MOST) {
      console.log(`not sent: ${body.length} bytes, ${MOST} is the most`);
      continue;
    }
    server.write(Buffer.concat([Buffer.from(String(body.length).padStart(3, "0")), body]));
    isOurs = false;
    if (line === "BYEBYE") sayGoodbye();
  }
}

function hear(piece) {
  if (isOver) return;
  if (isOurs) stop("the server spoke out of turn");
  const data = piece;
  const header = data.subarray(0, 3).toString("latin1");
  if (!/^[0-9]{1,3}$/.test(header) || Number(header) > MOST) stop("a bad length");
  const end = 3 + Number(header);
  const body = data.subarray(3, end);
  console.log("server>", readable(body));
  if (body.equals(Buffer.from("BYEBYE"))) return sayGoodbye();
  if (data.length > end) stop("the server spoke out of turn");
  isOurs = true;
  saySomething();
}

const server = net.connect(Number(process.argv[3]), process.argv[2]);
const keyboard = readline.createInterface({ input: process.stdin, terminal: false });
server.setNoDelay();
server.on("connect", saySomething);
server.on("data", hear);
server.on("end", () => stop("the server is gone"));
server.on("error", (error) => stop(error.message));
keyboard.on("line", (line) => {
  lines.push(line);
  if (!server.connecting) saySomething();
});
keyboard.on("close", () => {
  if (!isOver) {
    lines.push("BYEBYE");
    saySomething();
  }
});
