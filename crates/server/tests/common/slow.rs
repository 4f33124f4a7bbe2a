//! Clients that hold connections open and do as little as they can with them.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used)]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

/// What a client does with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Sends the head of a request byte by byte.
    Head,
    /// Announces a body for `/login` and sends it byte by byte.
    Body,
    /// Asks for a file again and again, and never reads.
    Unread,
}

pub const KINDS: [Kind; 3] = [Kind::Head, Kind::Body, Kind::Unread];

/// Connections of one kind each, taken in turn, from the addresses 127.0.0.2 and on.
pub struct SlowClients {
    server: SocketAddr,
    clients: Vec<Client>,
    /// Connections that the server has closed.
    pub closed: usize,
}

struct Client {
    number: usize,
    kind: Kind,
    stream: TcpStream,
}

impl SlowClients {
    /// Opens so many, from so many addresses.
    pub fn open(server: SocketAddr, count: usize, addresses: usize) -> Self {
        let clients = (0..count).map(|number| Client::open(server, number, addresses));
        Self {
            server,
            clients: clients.collect::<io::Result<_>>().unwrap(),
            closed: 0,
        }
    }

    /// Lets each send a little more; those that the server has closed connect again.
    pub fn step(&mut self, addresses: usize) {
        for client in &mut self.clients {
            if client.is_open() && client.send() {
                continue;
            }
            self.closed += 1;
            // A server that is out of places refuses for a moment: the next step tries again.
            if let Ok(new) = Client::open(self.server, client.number, addresses) {
                *client = new;
            }
        }
    }

    /// Lets each send a little more; how many the server has not closed.
    pub fn still_open(&mut self) -> usize {
        let clients = self.clients.iter_mut();
        clients.map(|c| usize::from(c.is_open() && c.send())).sum()
    }
}

impl Client {
    fn open(server: SocketAddr, number: usize, addresses: usize) -> io::Result<Self> {
        let from = IpAddr::from([127, 0, 0, 2 + (number % addresses) as u8]);
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(from, 0).into())?;
        socket.connect_timeout(&server.into(), Duration::from_secs(10))?;
        socket.set_nonblocking(true)?;
        let mut client = Self {
            number,
            kind: KINDS[number % KINDS.len()],
            stream: socket.into(),
        };
        let start: &[u8] = match client.kind {
            Kind::Head => b"GET /login HTTP/1.1\r\nhost: localhost\r\n",
            Kind::Body => {
                b"POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4000\r\n\
                  x-geti-csrf-protection: 1\r\n\r\n"
            }
            Kind::Unread => b"",
        };
        client.stream.write_all(start)?;
        client.send();
        Ok(client)
    }

    /// Sends a little; whether the connection took it or would have.
    fn send(&mut self) -> bool {
        let more: &[u8] = match self.kind {
            Kind::Head | Kind::Body => b"x",
            Kind::Unread => b"GET /static/app.js HTTP/1.1\r\nhost: localhost\r\n\r\n",
        };
        let times = if self.kind == Kind::Unread { 1000 } else { 1 };
        for _ in 0..times {
            match self.stream.write(more) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        true
    }

    /// Whether the server keeps the connection; does not read what it says to those who never do.
    fn is_open(&mut self) -> bool {
        let seen = match self.kind {
            Kind::Unread => self.stream.peek(&mut [0]),
            Kind::Head | Kind::Body => self.stream.read(&mut [0; 1024]),
        };
        match seen {
            Ok(0) => false,
            Ok(_) => true,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        }
    }
}
