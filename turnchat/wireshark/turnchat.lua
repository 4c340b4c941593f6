-- turnchat in Wireshark and tshark: messages, turns and faults, for people who write a peer.
--
-- Install: copy this file into the folder that Help > About Wireshark > Folders calls "Personal Lua
-- Plugins". Or load it once: wireshark -X lua_script:turnchat.lua, and the same with tshark.
-- README.md beside it is a lesson with examples. Written for Wireshark 3.6 to 4.4 (Lua 5.2, 5.4).
--
-- Each fault has the byte and the reason that turnchat itself gives (PROTOCOL.md, "Faults"). The
-- parts have their names from turnchat: HEADER_SIZE, quote and LENGTH_OF are in core/frame.py,
-- TRANSITIONS in core/conversation.py, safe in text.py.
--
-- How it works: TCP hands over the bytes of a segment. If a frame is not whole, the dissector asks
-- for one more segment, and gets all bytes since the beginning of the frame again. The helper
-- dissect_tcp_pdus() is of no use here: it wants a length, and a header that is a fault has none.
-- Packets come in their order the first time. What they mean is worked out then, and kept by the
-- number of the packet: afterwards Wireshark asks for any packet, in any order.

local HEADER_SIZE = 3
local BODY_LIMIT = 255
local QUOTE_LIMIT = 16 -- bytes of a peer's stream that a fault quotes
local BYEBYE = "BYEBYE"
local PORT = 2322
local WRAP = 2 ^ 32 -- of sequence numbers
local TLS_HANDSHAKE = "\22\3" -- the first bytes of a record (RFC 8446, 5.1)
local PROXY = { line = "PROXY ", block = "\r\n\r\n\0\r\nQUIT\n", fixed = 16 } -- HAProxy's two versions

local turnchat = Proto("turnchat", "turnchat")
local over_tls = Proto("turnchat_tls", "turnchat over TLS")
local ends = Proto("turnchat_ends", "turnchat, the ends of streams")

local function text_field(name, title, description)
  return ProtoField.new(title, "turnchat." .. name, ftypes.STRING, nil, base.NONE, 0, description)
end

local function number_field(name, title, description)
  return ProtoField.new(title, "turnchat." .. name, ftypes.UINT32, nil, base.DEC, 0, description)
end

local field = {
  from = text_field("from", "From", "The side that sent this packet: client or server"),
  turn = text_field("turn", "Turn", "The side whose turn it was when this packet came: client, server, or over"),
  next = text_field("next", "Next turn", "The side whose turn it is after this packet: client, server, or over"),
  number = number_field("number", "Message number", "Messages of both sides are counted, from 1"),
  offset = number_field("offset", "Offset in the stream", "The place of this frame in the stream of its side"),
  length = number_field("length", "Length", "The number of bytes in the body, as the header has it"),
  body = text_field("body", "Body", "The text of the message"),
  bye = ProtoField.new("BYEBYE", "turnchat.bye", ftypes.BOOLEAN, nil, base.NONE, 0, "It ends the conversation"),
  part = text_field("part", "Part", "The part of a frame that has come so far"),
  fault = text_field("fault", "Fault", "The place of the fault and its reason, as turnchat words them"),
  fault_offset = number_field("fault.offset", "Offset", "The byte of the side's stream that proves the fault"),
  fault_reason = text_field("fault.reason", "Reason", "The reason, as turnchat words it"),
  ignored = number_field("ignored", "Ignored bytes", "Bytes that came when the conversation was over"),
  proxy = text_field("proxy", "PROXY header", "A balancer tells the client's address before the conversation"),
  unjudged = text_field("unjudged", "Not judged", "The reason why these bytes cannot be judged"),
  ended = text_field("end", "End", "How the stream of this side has ended"),
}
turnchat.fields = field

local expert = {
  bad_length = ProtoExpert.new("turnchat.bad_length", "Bad length", expert.group.MALFORMED, expert.severity.ERROR),
  out_of_turn = ProtoExpert.new("turnchat.out_of_turn", "Out of turn", expert.group.SEQUENCE, expert.severity.ERROR),
  truncated = ProtoExpert.new("turnchat.truncated", "Truncated", expert.group.MALFORMED, expert.severity.ERROR),
  ignored = ProtoExpert.new("turnchat.after_the_end", "After the end", expert.group.SEQUENCE, expert.severity.NOTE),
  unjudged = ProtoExpert.new("turnchat.incomplete", "Not judged", expert.group.UNDECODED, expert.severity.WARN),
  reset = ProtoExpert.new("turnchat.reset", "Reset", expert.group.SEQUENCE, expert.severity.WARN),
}
turnchat.experts = expert

local tcp_stream = Field.new("tcp.stream")
local tcp_seq = Field.new("tcp.seq_raw")
local tcp_len = Field.new("tcp.len")
local tcp_syn = Field.new("tcp.flags.syn")
local tcp_acknowledged = Field.new("tcp.ack_raw")
local tcp_ack = Field.new("tcp.flags.ack")
local tcp_fin = Field.new("tcp.flags.fin")
local tcp_reset = Field.new("tcp.flags.reset")

-- Text ------------------------------------------------------------------------------------------

local NAMED = { [9] = "\\t", [10] = "\\n", [13] = "\\r" }

-- Quote bytes as turnchat does (Python's notation), cut short after QUOTE_LIMIT.
local function quote(data)
  local shown = data:sub(1, QUOTE_LIMIT)
  local mark = (shown:find("'", 1, true) and not shown:find('"', 1, true)) and '"' or "'"
  local text = shown:gsub(".", function(char)
    local byte = char:byte()
    if char == mark or char == "\\" then
      return "\\" .. char
    end
    return NAMED[byte] or ((byte < 32 or byte > 126) and ("\\x%02x"):format(byte)) or char
  end)
  return mark .. text .. mark .. (#data > QUOTE_LIMIT and "..." or "")
end

local function is_between(code, ...)
  local ranges = { ... }
  for index = 1, #ranges, 2 do
    if code >= ranges[index] and code <= ranges[index + 1] then
      return true
    end
  end
  return false
end

-- The escape of a character that acts instead of standing there; nil for any other.
local function escape_of(code)
  if NAMED[code] then
    return NAMED[code]
  elseif code < 0x20 or is_between(code, 0x7F, 0x9F) then
    return ("\\x%02x"):format(code)
  elseif code == 0xAD or code == 0x061C or code == 0x180E or code == 0xFEFF
    or is_between(code, 0x200B, 0x200B, 0x200E, 0x200F, 0x2028, 0x202E, 0x2060, 0x2064, 0x2066, 0x206F) then
    return ("\\u%04x"):format(code)
  elseif is_between(code, 0xFFF9, 0xFFFB, 0xE0000, 0xE007F) then
    return ("\\U%08x"):format(code)
  end
end

-- The size of the character in UTF-8 at `index` and its code; nil if there is none.
local function character_at(data, index)
  local first = data:byte(index)
  local size = first < 0x80 and 1 or is_between(first, 0xC2, 0xDF) and 2
    or is_between(first, 0xE0, 0xEF) and 3 or is_between(first, 0xF0, 0xF4) and 4
  if not size or index + size - 1 > #data then
    return nil
  end
  local code = size == 1 and first or first % 2 ^ (7 - size)
  for place = index + 1, index + size - 1 do
    local byte = data:byte(place)
    if not is_between(byte, 0x80, 0xBF) then
      return nil
    end
    code = code * 64 + byte % 64
  end
  local least = ({ 0, 0x80, 0x800, 0x10000 })[size]
  if code < least or code > 0x10FFFF or is_between(code, 0xD800, 0xDFFF) then
    return nil
  end
  return size, math.floor(code)
end

-- A peer's text made safe to show, as turnchat shows it: it may come from an attacker.
local function safe(data)
  local parts, index = {}, 1
  while index <= #data do
    local size, code = character_at(data, index)
    if size then
      parts[#parts + 1] = escape_of(code) or data:sub(index, index + size - 1)
    else
      parts[#parts + 1] = ("\\x%02x"):format(data:byte(index))
    end
    index = index + (size or 1)
  end
  return table.concat(parts)
end

local function counted(number, noun)
  return ("%d %s%s"):format(number, noun, number == 1 and "" or "s")
end

-- Frames ----------------------------------------------------------------------------------------

local LENGTH_OF, PREFIXES = {}, {}
for length = 0, BODY_LIMIT do
  local header = ("%03d"):format(length)
  LENGTH_OF[header] = length
  for size = 1, HEADER_SIZE do
    PREFIXES[header:sub(1, size)] = true
  end
end

-- The index (from 0) of the byte after which no legal length is left, and the reason; or nil.
local function check_header(data)
  for size = 1, math.min(#data, HEADER_SIZE) do
    local prefix = data:sub(1, size)
    if not PREFIXES[prefix] then
      local byte = prefix:sub(-1)
      if not byte:find("^[0-9]$") then
        return size - 1, ("%s is not a digit, and a length has %d"):format(quote(byte), HEADER_SIZE)
      elseif size == HEADER_SIZE then
        return size - 1, ("the length %s is over %d"):format(prefix, BODY_LIMIT)
      end
      return size - 1, ("a length that begins with %s is over %d"):format(prefix, BODY_LIMIT)
    end
  end
end

-- The part of a frame that `data` is, in words.
local function part_of(data)
  local length = LENGTH_OF[data:sub(1, HEADER_SIZE)]
  if not length then
    return ("%d of the %d bytes of a length"):format(#data, HEADER_SIZE)
  end
  return ("%d of the %d bytes of a message"):format(#data - HEADER_SIZE, length)
end

-- Turns -----------------------------------------------------------------------------------------

local OTHER = { client = "server", server = "client" }

-- The state of a side after each input: ours, theirs, last or over. No entry: it may not happen.
local TRANSITIONS = {
  ours = { send = "theirs", send_byebye = "over", eof = "last", fault = "over" },
  theirs = { receive = "ours", receive_byebye = "over", eof = "over", fault = "over" },
  last = { send = "over", send_byebye = "over", fault = "over" },
  over = {},
}

local beginnings = {} -- by the number of a TCP stream: its client, and the sequence numbers to come
local conversations = {} -- by the number of a TCP stream, and the layer
local packets = {} -- by the number of a packet: what was found in it
local is_blind = false -- the first time was without fields, as in `tshark -2`: nothing was worked out in time
local last_packet = 0 -- that was seen; those up to it are shown again

local function is_first_time(pinfo)
  return pinfo.number > last_packet
end

local function new_conversation(stream)
  local beginning = beginnings[stream]
  return {
    client = beginning and beginning.client, -- nil if its SYN is not in the capture
    turn = { client = "ours", server = "theirs" }, -- as each side sees it
    count = 0, -- messages, of both sides
    partial = { client = "", server = "" }, -- the beginning of a frame whose rest has not come
    held = { client = 0, server = 0 }, -- bytes that TCP hands over again, in front of the next ones
    offset = { client = 0, server = 0 }, -- of the present frame in its stream
    next_seq = beginning and beginning.next_seq or {}, -- what the next segment should have
    has_ended = {}, -- the sides whose streams have ended
    fin_seq = {}, -- the place of a FIN; bytes in front of it may still come
    is_known = beginning ~= nil, -- whose turn it is
    unjudged = nil, -- the reason why bytes cannot be judged any more
  }
end

-- The side that may say something now, or "over".
local function whose(conversation)
  if not conversation.is_known then
    return "unknown"
  end
  for _, side in ipairs({ "client", "server" }) do
    local turn = conversation.turn[side]
    if (turn == "ours" or turn == "last") and not conversation.has_ended[side] then
      return side
    end
  end
  return "over"
end

local function fail(conversation, item)
  conversation.turn = { client = "over", server = "over" }
  conversation.partial = { client = "", server = "" }
  item.kind = "fault"
  return item
end

-- Take in bytes of `side` from the beginning of a frame on; the last `fresh` of them are new.
-- Return what was found, in order: messages, a fault, bytes to ignore. `at` is a place in data.
local function receive(conversation, side, data, fresh)
  local receiver, found, start = OTHER[side], {}, conversation.offset[side]
  local turn = conversation.turn[receiver]
  if turn == "over" then
    return { { kind = "ignored", at = #data - fresh, size = fresh, data = data:sub(-fresh) } }
  elseif turn ~= "theirs" then
    local reason = quote(data) .. " came out of turn"
    return { fail(conversation, { expert = "out_of_turn", at = 0, size = #data, offset = start, reason = reason }) }
  end
  local index, reason = check_header(data)
  if index then
    local offset = start + index
    return { fail(conversation, { expert = "bad_length", at = index, size = 1, offset = offset, reason = reason }) }
  end
  local length = LENGTH_OF[data:sub(1, HEADER_SIZE)]
  if not length or #data < HEADER_SIZE + length then
    conversation.partial[side] = data
    return {}
  end
  local size = HEADER_SIZE + length
  local body = data:sub(HEADER_SIZE + 1, size)
  local is_bye = body == BYEBYE
  local suffix = is_bye and "_byebye" or ""
  conversation.partial[side] = ""
  conversation.offset[side] = start + size
  conversation.count = conversation.count + 1
  conversation.turn[receiver] = TRANSITIONS.theirs["receive" .. suffix]
  conversation.turn[side] = TRANSITIONS[conversation.turn[side]]["send" .. suffix] or conversation.turn[side]
  found[1] = {
    kind = "message", at = 0, size = size, offset = start, number = conversation.count,
    length = length, body = body, is_bye = is_bye,
  }
  if #data > size then -- bytes beyond are a fault at once, or come after the end
    local rest = data:sub(size + 1)
    local more = receive(conversation, side, rest, #rest)[1]
    more.at = more.at + size
    found[2] = more
  end
  return found
end

-- Take in the end of a side's stream.
local function receive_eof(conversation, side)
  local partial = conversation.partial[side]
  conversation.has_ended[side] = true
  if #partial > 0 then
    local offset = conversation.offset[side] + #partial
    local reason = "the stream ended after " .. part_of(partial)
    return { fail(conversation, { expert = "truncated", offset = offset, reason = reason }) }
  end
  local receiver = OTHER[side]
  local before = conversation.turn[receiver]
  conversation.turn[receiver] = TRANSITIONS[before].eof or before
  local text = "the end of its stream"
  if before == "theirs" then
    text = "hung up in its own turn: the conversation is over"
  elseif before == "ours" and not conversation.has_ended[receiver] then
    text = "sends no more; it may be answered once"
  end
  return { { kind = "end", text = text } }
end

-- Packets ---------------------------------------------------------------------------------------

local tcp_port = DissectorTable.get("tcp.port")

-- The end of a connection that sent this packet. Names of hosts may change while a file is loaded.
local function sender_of(pinfo)
  if pinfo.src_port ~= pinfo.dst_port then
    return pinfo.src_port
  end
  return tostring(pinfo.src)
end

-- The end that a packet goes to.
local function target_of(pinfo)
  if pinfo.src_port ~= pinfo.dst_port then
    return pinfo.dst_port
  end
  return tostring(pinfo.dst)
end

-- True if a server at this port speaks turnchat: by the preference, or by "Decode As".
local function is_of_turnchat(port)
  local dissector = tcp_port:get_dissector(port)
  return dissector ~= nil and tostring(dissector) == tostring(Dissector.get("turnchat"))
end

local function side_of(conversation, pinfo)
  if conversation.client == nil then -- the beginning is missing: the port tells, or who speaks
    conversation.client = is_of_turnchat(pinfo.src_port) and target_of(pinfo) or sender_of(pinfo)
  end
  return conversation.client == sender_of(pinfo) and "client" or "server"
end

-- Keep what was found in a packet, with what it is shown with.
local function keep(number, conversation, side, turn, size, found)
  packets[number] = packets[number] or {}
  local one = { from = side, turn = turn, next = whose(conversation), size = size, found = found }
  table.insert(packets[number], one)
  return one
end

-- True if this side acknowledges bytes of the other one that are not in the capture.
local function lacks_answered_bytes(conversation, side)
  local other = OTHER[side]
  local expected = conversation.next_seq[other]
  if not expected or not tcp_ack().value then
    return false
  end
  local ahead = (tcp_acknowledged().value - expected) % WRAP
  return ahead > (conversation.has_ended[other] and 1 or 0) and ahead < WRAP / 2 -- FIN counts as one
end

-- The number of bytes at the end of `tvb` that are new; or nil and the reason why it is unknown.
-- skipped: bytes of the segment in front of it; nil if it is not at a place in the stream of TCP.
local function fresh_in(conversation, side, tvb, skipped)
  local known = conversation.held[side]
  if tvb:len() < tvb:reported_len() then
    return nil, "the capture has only the first bytes of this packet"
  elseif not skipped then
    return tvb:len() - known
  elseif lacks_answered_bytes(conversation, side) then
    return nil, ("bytes of the %s are missing, and this side has acknowledged them"):format(OTHER[side])
  end
  local sequence, expected = tcp_seq().value + skipped, conversation.next_seq[side]
  local gap = expected and (sequence - expected) % WRAP or 0
  if gap >= WRAP / 2 then -- it begins before: bytes that were sent again
    return math.max(0, math.min(tvb:len() - known, tcp_len().value - skipped - (WRAP - gap)))
  elseif gap > 0 then
    return nil, ("%s before this are missing, or come later (then set the preference of TCP to reassemble "
      .. "out-of-order segments)"):format(counted(gap, "byte"))
  end
  conversation.next_seq[side] = (sequence + tvb:len() - known) % WRAP
  return tvb:len() - known
end

-- True if the bytes begin with a frame, or are the beginning of one.
local function looks_like_a_frame(data)
  local length = LENGTH_OF[data:sub(1, HEADER_SIZE)]
  return length ~= nil and #data <= HEADER_SIZE + length
end

-- Work out what the bytes of a packet mean. It is the first time that the packet is seen.
local function judge(conversation, tvb, pinfo, skipped)
  local side = side_of(conversation, pinfo)
  local turn = whose(conversation)
  local fresh, problem
  if is_blind then
    problem = "the packets came without their fields the first time: use a filter, such as -Y tcp"
  elseif conversation.unjudged then
    problem = conversation.unjudged
  else
    fresh, problem = fresh_in(conversation, side, tvb, skipped)
    conversation.held[side] = 0
  end
  if problem then
    conversation.unjudged = conversation.unjudged or "bytes before this are missing"
    conversation.partial = { client = "", server = "" }
    return keep(pinfo.number, conversation, side, "unknown", tvb:len(), { { kind = "unjudged", text = problem } })
  elseif fresh <= 0 then
    return keep(pinfo.number, conversation, side, turn, tvb:len(), {}) -- sent again
  end
  local first = tvb:len() - fresh -- of the new bytes
  local data = conversation.partial[side] .. tvb:raw(first)
  if not conversation.is_known then
    if not looks_like_a_frame(data) then
      local text = "the beginning of the connection is missing, and this is not the beginning of a frame"
      return keep(pinfo.number, conversation, side, turn, tvb:len(), { { kind = "unjudged", text = text } })
    end
    conversation.is_known, turn = true, side
    conversation.turn = { [side] = "ours", [OTHER[side]] = "theirs" }
  end
  local found = receive(conversation, side, data, fresh)
  if #found == 0 then
    found[1] = { kind = "part", text = part_of(data) }
  end
  local one = keep(pinfo.number, conversation, side, turn, tvb:len(), found)
  one.is_part = found[1].kind == "part"
  one.first = tvb:len() - #data -- where the frame begins in the bytes that TCP hands over
  if one.first < 0 then
    one.data = data -- TCP does not reassemble
  end
  return one
end

-- Tree and columns ------------------------------------------------------------------------------

local SUMMARIES = {
  message = function(item)
    local text = item.length > 0 and safe(item.body) or "(an empty message)"
    return text .. (item.is_bye and " (the conversation is over)" or "")
  end,
  fault = function(item)
    return ("FAULT at byte %d: %s"):format(item.offset, item.reason)
  end,
  ignored = function(item)
    return ("%s after the end, ignored: %s"):format(counted(item.size, "byte"), quote(item.data))
  end,
  unjudged = function(item)
    return "not judged: " .. item.text
  end,
  part = function(item)
    return "so far " .. item.text
  end,
  reset = function(item)
    return item.text
  end,
}
SUMMARIES["end"] = SUMMARIES.reset

local function generated(tree, ...)
  tree:add(...):set_generated()
end

local function show_fault(root, item, range)
  local text = ("at byte %d: %s"):format(item.offset, item.reason)
  local shown = range and root:add(field.fault, range, text) or root:add(field.fault, text)
  shown:add_proto_expert_info(expert[item.expert], text)
  generated(shown, field.fault_offset, item.offset)
  generated(shown, field.fault_reason, item.reason)
end

local function show_item(root, one, item, tvb)
  local range = tvb and item.size and tvb:range(math.max(one.first or 0, 0) + item.at, item.size)
  if item.kind == "message" then
    root:add(field.length, range(0, HEADER_SIZE), item.length)
    if item.length > 0 then
      local text = range(HEADER_SIZE, item.length)
      local body = root:add_packet_field(field.body, text, ENC_UTF_8)
      body:set_text("Body: " .. safe(item.body))
    else
      root:add(field.body, ""):set_text("Body: (empty)") -- no bytes can be shown for it
    end
    if item.is_bye then
      root:add(field.bye, range(HEADER_SIZE, item.length), true)
    end
    generated(root, field.number, item.number)
    generated(root, field.offset, item.offset)
  elseif item.kind == "fault" then
    show_fault(root, item, range)
  elseif item.kind == "ignored" then
    local ignored = root:add(field.ignored, range, item.size)
    ignored:add_proto_expert_info(expert.ignored, SUMMARIES.ignored(item))
  elseif item.kind == "unjudged" then
    root:add(field.unjudged, item.text):add_proto_expert_info(expert.unjudged, item.text)
  elseif item.kind == "part" then
    generated(root, field.part, item.text)
  elseif item.kind == "end" then
    root:add(field.ended, item.text)
  elseif item.kind == "reset" then
    root:add(field.ended, item.text):add_proto_expert_info(expert.reset, item.text)
  end
end

-- Show what was found in a packet. Without a `tvb` it is in no bytes. is_more: it is not the first.
local function show(one, tvb, pinfo, tree, is_more)
  if one.data then
    tvb = ByteArray.new(one.data, true):tvb("turnchat frame")
  end
  local summaries = {}
  for _, item in ipairs(one.found) do
    summaries[#summaries + 1] = SUMMARIES[item.kind](item)
  end
  if #summaries == 0 then
    summaries[1] = "bytes that were sent again"
  end
  local words = table.concat(summaries, "; ")
  local summary = ("%s: %s"):format(one.from, words)
  pinfo.cols.protocol = "TURNCHAT"
  if is_more then
    pinfo.cols.info:append("; " .. words)
  elseif tvb or one.is_part then
    pinfo.cols.info = summary
  else
    pinfo.cols.info:prepend(summary .. ", ") -- of FIN or RST
  end
  local root = tvb and tree:add(turnchat, tvb:range()) or tree:add(turnchat)
  root:append_text(", " .. summary)
  generated(root, field.from, one.from)
  generated(root, field.turn, one.turn)
  for _, item in ipairs(one.found) do
    show_item(root, one, item, tvb)
  end
  generated(root, field.next, one.next)
end

-- Dissectors ------------------------------------------------------------------------------------

local secured = {} -- by the number of a TCP stream
local proxied = {} -- by the number of a TCP stream: the packet and the size of the header
local shown_calls = {} -- of the present packet, so that a second call shows the next part

-- What was found when the packet was seen first, in the bytes of this call.
local function found_before(number, size)
  for _, one in ipairs(packets[number] or {}) do
    if one.size == size and not shown_calls[one] and not one.is_after then
      return one
    end
  end
end

local function dissect(key, stream, tvb, pinfo, tree, skipped)
  local one
  if is_first_time(pinfo) then
    conversations[key] = conversations[key] or new_conversation(stream)
    one = judge(conversations[key], tvb, pinfo, skipped)
  else
    one = found_before(pinfo.number, tvb:len())
  end
  if not one then
    return 0
  elseif one.is_part then -- it is shown behind TCP, which shows that it keeps the bytes
    if pinfo.can_desegment ~= 0 and one.first >= 0 then
      pinfo.desegment_offset = one.first + (skipped or 0)
      pinfo.desegment_len = DESEGMENT_ONE_MORE_SEGMENT
      if is_first_time(pinfo) then
        conversations[key].held[one.from] = tvb:len() - one.first
      end
    end
    return tvb:len()
  end
  shown_calls[one] = true
  show(one, tvb, pinfo, tree)
  return tvb:len()
end

-- True if the first bytes of a conversation are a record of TLS. All others of it are records too.
local function is_secured(stream, tvb)
  local conversation = conversations[stream]
  if secured[stream] == nil and not conversation then
    secured[stream] = tvb:raw(0, math.min(#TLS_HANDSHAKE, tvb:len())) == TLS_HANDSHAKE
  end
  return secured[stream]
end

-- The size of the PROXY header that a client's stream begins with; 0 if there is none.
local function header_size(stream, tvb, pinfo)
  if is_first_time(pinfo) and not conversations[stream] and not proxied[stream] then
    local data = tvb:raw(0, math.min(tvb:len(), 256))
    local size = 0
    if data:sub(1, #PROXY.line) == PROXY.line then
      size = select(2, data:find("\r\n", 1, true)) or 0
    elseif data:sub(1, #PROXY.block) == PROXY.block and #data >= PROXY.fixed then
      size = PROXY.fixed + data:byte(15) * 256 + data:byte(16)
    end
    if size > 0 and size <= tvb:len() then
      proxied[stream] = { packet = pinfo.number, size = size }
      local beginning = beginnings[stream]
      if beginning and beginning.next_seq.client then
        beginning.next_seq.client = (beginning.next_seq.client + size) % WRAP
      end
    end
  end
  local header = proxied[stream]
  return header and header.packet == pinfo.number and header.size or 0
end

local function show_header(tvb, pinfo, tree)
  local line = tvb:raw():match("^(PROXY .*)\r\n$")
  local text = line and safe(line) or ("version 2, %d bytes"):format(tvb:len())
  pinfo.cols.protocol = "TURNCHAT"
  pinfo.cols.info = "PROXY header: " .. text
  local root = tree:add(turnchat, tvb:range())
  root:append_text(", PROXY header")
  root:add(field.proxy, tvb:range(), text)
end

function turnchat.dissector(tvb, pinfo, tree)
  local stream = tcp_stream()
  is_blind = is_blind or not stream
  if not stream or tvb:len() == 0 then
    return 0
  end
  local whole, skipped = tvb:len(), header_size(stream.value, tvb, pinfo)
  if skipped > 0 then
    show_header(tvb:range(0, skipped):tvb(), pinfo, tree)
    if skipped == whole then
      return whole
    end
    tvb = tvb:range(skipped):tvb()
  end
  if is_secured(stream.value, tvb) then
    return Dissector.get("tls"):call(tvb, pinfo, tree)
  end
  dissect(stream.value, stream.value, tvb, pinfo, tree, skipped)
  return whole
end

-- The bytes that TLS has decrypted. Their places are not those of TCP.
function over_tls.dissector(tvb, pinfo, tree)
  local stream = tcp_stream()
  if not stream or tvb:len() == 0 then
    return 0
  end
  return dissect(stream.value .. " in TLS", stream.value, tvb, pinfo, tree)
end

-- Beginnings and ends of streams are in packets without bytes, which TCP hands to no dissector. So
-- one more sees each packet, after all others.
local function note_beginning(pinfo, stream)
  local is_answer = tcp_ack().value
  local client = is_answer and target_of(pinfo) or sender_of(pinfo)
  beginnings[stream] = beginnings[stream] or { client = client, next_seq = {} }
  beginnings[stream].next_seq[is_answer and "server" or "client"] = (tcp_seq().value + 1) % WRAP
end

-- True if the stream of `side` ends here: it has a FIN, and no byte in front of that is missing.
local function ends_here(conversation, side)
  if tcp_fin().value then
    conversation.fin_seq[side] = (tcp_seq().value + tcp_len().value) % WRAP
  end
  local place, expected = conversation.fin_seq[side], conversation.next_seq[side]
  return place and not conversation.has_ended[side] and (not expected or place == expected)
end

local function note_end(pinfo, stream)
  local secret = conversations[stream .. " in TLS"]
  local conversation = secret or conversations[stream]
  local has_end = tcp_fin().value or tcp_reset().value
  if not conversation and has_end and beginnings[stream] and not secured[stream]
    and (is_of_turnchat(pinfo.dst_port) or is_of_turnchat(pinfo.src_port)) then
    conversation = new_conversation(stream) -- no byte was said
    conversations[stream] = conversation
  end
  if not conversation or conversation.is_reset or conversation.unjudged or not conversation.is_known then
    return
  end
  local side, turn = side_of(conversation, pinfo), whose(conversation)
  local found
  if tcp_reset().value then
    conversation.is_reset = true
    conversation.turn = { client = "over", server = "over" }
    conversation.partial = { client = "", server = "" }
    found = { { kind = "reset", text = "the connection was reset" } }
  elseif secret and tcp_fin().value and not conversation.has_ended[side] then
    found = receive_eof(conversation, side)
  elseif not secret and ends_here(conversation, side) then
    found = receive_eof(conversation, side)
  end
  if found then
    keep(pinfo.number, conversation, side, turn, 0, found).is_after = true
  end
end

function ends.dissector(_, pinfo, tree)
  local is_more = next(shown_calls) ~= nil
  shown_calls = {}
  local stream = tcp_stream()
  if not stream or not tcp_syn() then
    return -- no TCP, or a header that Wireshark refuses
  end
  if is_first_time(pinfo) then
    if tcp_syn().value then
      note_beginning(pinfo, stream.value)
    else
      note_end(pinfo, stream.value)
    end
    last_packet = pinfo.number
  end
  for _, one in ipairs(packets[pinfo.number] or {}) do
    if one.is_after or one.is_part then
      show(one, nil, pinfo, tree, is_more)
      is_more = true
    end
  end
end

-- A file is loaded, or read again because a preference has changed.
function turnchat.init()
  beginnings, conversations, packets, shown_calls = {}, {}, {}, {}
  secured, proxied, last_packet, is_blind = {}, {}, 0, false
end

-- Ports -----------------------------------------------------------------------------------------

local ports = tostring(PORT)

turnchat.prefs.ports = Pref.range("TCP ports", ports, "The ports of turnchat servers, such as 2322,4000-4010", 65535)

function turnchat.prefs_changed()
  if turnchat.prefs.ports ~= ports then
    if ports ~= "" then
      tcp_port:remove(ports, turnchat)
    end
    ports = turnchat.prefs.ports
    if ports ~= "" then
      tcp_port:add(ports, turnchat)
    end
  end
end

tcp_port:add(ports, turnchat)
tcp_port:add_for_decode_as(turnchat)
DissectorTable.get("tls.alpn"):add("turnchat/1", over_tls)
DissectorTable.get("tls.port"):add(PORT, over_tls)
register_postdissector(ends)
