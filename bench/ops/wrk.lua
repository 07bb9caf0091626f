-- Sends the requests of the file that BODIES names, each thread its share of the lines, from the top and round again.
-- Built before the clock starts, so that the generator costs little. CHECK=1 also looks at each answer: it has to be
-- without errors and at least LEAST bytes long. SKIP and MOST bound the lines that are read.
local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init()
  bad, seen, at, pool = 0, 0, 0, {}
  local line_number, threads_in_all = 0, tonumber(os.getenv("THREADS") or "2")
  local path = os.getenv("URL_PATH") or "/graphql"
  local skip, most = tonumber(os.getenv("SKIP") or "0"), tonumber(os.getenv("MOST") or "1e9")
  for line in io.lines(os.getenv("BODIES")) do
    if line_number >= skip + most then break end
    if line_number >= skip and line_number % threads_in_all == number then
      local token, body = line:match("^(.-)\t(.*)$")
      local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/graphql-response+json, application/json" }
      if token ~= "" then headers["Authorization"] = "Bearer " .. token end
      pool[#pool + 1] = wrk.format("POST", path, headers, body)
    end
    line_number = line_number + 1
  end
end

function request()
  at = at % #pool + 1
  return pool[at]
end

if os.getenv("CHECK") then
  local least = tonumber(os.getenv("LEAST") or "40")
  function response(status, headers, body)
    seen = seen + 1
    local wrong = status ~= 200 or body:find('"errors"', 1, true) or body:find('"code"', 1, true) or #body < least
    if wrong then
      bad = bad + 1
      if bad < 3 then io.stderr:write("BAD " .. status .. " " .. body:sub(1, 400) .. "\n") end
    end
  end
end

function done(summary, latency)
  local wrong, looked = 0, 0
  for _, thread in ipairs(threads) do
    wrong = wrong + (thread:get("bad") or 0)
    looked = looked + (thread:get("seen") or 0)
  end
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"us":%d,"bytes":%d,"p50":%d,"p95":%d,"p99":%d,"looked":%d,"bad":%d,"errors":%d,"statuses":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(95),
    latency:percentile(99), looked, wrong, e.connect + e.read + e.write + e.timeout, e.status))
end
