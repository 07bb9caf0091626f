//! An open-loop generator: requests leave at a fixed rate whether or not earlier ones were answered, and latency counts from
//! the moment a request was due, so that a stall shows in every request that it held up.
//!
//! `bench-steady PORT FILE RATE SECONDS CONNECTIONS`; a line of the file is a token, a tab, and a body. Prints one JSON line.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

struct Plan {
    port: u16,
    requests: Vec<Vec<u8>>,
    rate: f64,
    total: u64,
    started: Instant,
    next: AtomicU64,
}

/// Latencies in microseconds, and how many answers were wrong.
#[derive(Default)]
struct Seen {
    latencies: Vec<u64>,
    errors: u64,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, file, rate, seconds, connections] = arguments.as_slice() else {
        return Err(invalid("PORT FILE RATE SECONDS CONNECTIONS"));
    };
    let rate: u32 = rate.parse().map_err(|_| invalid("RATE"))?;
    let seconds: u32 = seconds.parse().map_err(|_| invalid("SECONDS"))?;
    let connections: usize = connections.parse().map_err(|_| invalid("CONNECTIONS"))?;
    let plan = Plan {
        port: port.parse().map_err(|_| invalid("PORT"))?,
        requests: read(file)?,
        rate: f64::from(rate),
        total: u64::from(rate) * u64::from(seconds),
        started: Instant::now() + Duration::from_millis(100),
        next: AtomicU64::new(0),
    };
    let seen: Vec<Seen> = thread::scope(|scope| {
        let workers: Vec<_> = (0..connections).map(|_| scope.spawn(|| work(&plan))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_default()).collect()
    });
    let errors: u64 = seen.iter().map(|seen| seen.errors).sum();
    let mut latencies: Vec<u64> = seen.into_iter().flat_map(|seen| seen.latencies).collect();
    latencies.sort_unstable();
    let at = |hundredths: usize| {
        latencies
            .get((latencies.len() * hundredths / 100).min(latencies.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0)
    };
    let line = format!(
        "{{\"requests\":{},\"p50\":{},\"p95\":{},\"p99\":{},\"errors\":{errors}}}\n",
        latencies.len(),
        at(50),
        at(95),
        at(99)
    );
    io::stdout().write_all(line.as_bytes())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("usage or value: {what}"))
}

/// Builds the requests before the clock starts.
fn read(path: &str) -> io::Result<Vec<Vec<u8>>> {
    let file = BufReader::new(std::fs::File::open(path)?);
    file.lines()
        .map(|line| {
            let line = line?;
            let (token, body) = line.split_once('\t').ok_or_else(|| invalid("a line without a tab"))?;
            Ok(format!(
                "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
                 Accept: application/graphql-response+json, application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes())
        })
        .collect()
}

/// One connection: takes the next request that is due, waits for its moment, sends it and reads the answer.
fn work(plan: &Plan) -> Seen {
    let mut seen = Seen::default();
    let mut connection = None;
    loop {
        let number = plan.next.fetch_add(1, Ordering::Relaxed);
        if number >= plan.total {
            return seen;
        }
        let at = usize::try_from(number).ok().and_then(|number| number.checked_rem(plan.requests.len()));
        let Some(request) = at.and_then(|at| plan.requests.get(at)) else {
            return seen;
        };
        let offset = u32::try_from(number).map_or(0.0, f64::from) / plan.rate;
        let due = plan.started + Duration::from_secs_f64(offset);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if connection.is_none() {
            connection = connect(plan.port).ok();
        }
        match connection.as_mut().map(|(stream, buffer)| exchange(stream, buffer, request)) {
            Some(Ok(true)) => {
                seen.latencies.push(u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            Some(Ok(false)) => seen.errors += 1,
            Some(Err(_)) | None => {
                seen.errors += 1;
                connection = None;
            }
        }
    }
}

fn connect(port: u16) -> io::Result<(TcpStream, BufReader<TcpStream>)> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let buffer = BufReader::new(stream.try_clone()?);
    Ok((stream, buffer))
}

/// Tells whether the answer was a 200.
fn exchange(stream: &mut TcpStream, buffer: &mut BufReader<TcpStream>, request: &[u8]) -> io::Result<bool> {
    stream.write_all(request)?;
    let mut line = String::new();
    buffer.read_line(&mut line)?;
    let fine = line.contains(" 200 ");
    let mut length = 0;
    let mut chunked = false;
    loop {
        line.clear();
        if buffer.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(|_| invalid("content-length"))?;
        }
        chunked |= header.starts_with("transfer-encoding:") && header.contains("chunked");
    }
    if chunked {
        loop {
            line.clear();
            buffer.read_line(&mut line)?;
            let size = usize::from_str_radix(line.trim(), 16).map_err(|_| invalid("chunk"))?;
            skip(buffer, size + 2)?;
            if size == 0 {
                return Ok(fine);
            }
        }
    }
    skip(buffer, length)?;
    Ok(fine)
}

fn skip(buffer: &mut BufReader<TcpStream>, length: usize) -> io::Result<()> {
    let mut rest = vec![0; length];
    buffer.read_exact(&mut rest)
}
