//! Talks to a TLS server that echoes, in every way that makes it hard to tell which record belongs to which connection.
//! Arguments: the server's port, the file of its authority's certificate, and 1.2 or 1.3. With a fourth, a text, it sends
//! only that, and reads what the server says until it closes.
use rustls::pki_types::{pem::PemObject, CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io::{IoSlice, Read, Result, Write};
use std::net::TcpStream;
use std::sync::Arc;

struct Peer {
    name: char,
    tls: ClientConnection,
    tcp: TcpStream,
    sent: usize,
}

/// Moves few bytes at a time: records begin anywhere in what a call moves.
struct Few<'a>(&'a mut TcpStream, usize);

impl Read for Few<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let end = into.len().min(self.1);
        self.0.read(&mut into[..end])
    }
}

impl Write for Few<'_> {
    fn write(&mut self, from: &[u8]) -> Result<usize> {
        self.0.write(&from[..from.len().min(self.1)])
    }
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Peer {
    fn connect(name: char, config: &Arc<ClientConfig>, port: u16) -> Peer {
        let host = ServerName::try_from("localhost").unwrap();
        let mut tls = ClientConnection::new(config.clone(), host).unwrap();
        let mut tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
        tls.set_buffer_limit(None);
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp).unwrap();
        }
        Peer { name, tls, tcp, sent: 0 }
    }

    fn text(&self, bytes: usize) -> Vec<u8> {
        let words = (0..).flat_map(|word| format!("{}{} ", self.name, word).into_bytes());
        words.skip(self.sent).take(bytes).collect()
    }

    fn encrypt(&mut self, bytes: usize) {
        let text = self.text(bytes);
        self.tls.writer().write_all(&text).unwrap();
        self.sent += bytes;
    }

    /// In many pieces, none of which is where a record begins or ends.
    fn encrypt_pieces(&mut self, bytes: usize, piece: usize) {
        let text = self.text(bytes);
        let pieces: Vec<IoSlice> = text.chunks(piece).map(IoSlice::new).collect();
        assert_eq!(self.tls.writer().write_vectored(&pieces).unwrap(), bytes);
        self.sent += bytes;
    }

    fn send(&mut self) {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut self.tcp).unwrap();
        }
    }

    fn send_few(&mut self, at_once: usize) {
        while self.tls.wants_write() {
            self.tls.write_tls(&mut Few(&mut self.tcp, at_once)).unwrap();
        }
    }

    fn ask(&mut self, text: &str) {
        self.tls.writer().write_all(text.as_bytes()).unwrap();
        self.send();
        let mut answered = 0;
        while self.tls.read_tls(&mut self.tcp).unwrap() > 0 {
            let state = self.tls.process_new_packets().unwrap();
            let mut part = vec![0; state.plaintext_bytes_to_read()];
            self.tls.reader().read_exact(&mut part).unwrap();
            answered += part.len();
        }
        assert!(answered > 0);
    }

    /// What comes is not what was sent: it cannot be decrypted.
    fn receive_spoiled(&mut self) {
        let mut record = vec![0; 4096];
        let bytes = self.tcp.read(&mut record).unwrap();
        record[bytes - 1] ^= 1;
        self.tls.read_tls(&mut &record[..bytes]).unwrap();
        assert_eq!(self.tls.process_new_packets().unwrap_err(), rustls::Error::DecryptError);
    }

    fn receive(&mut self, bytes: usize, at_once: usize) {
        let mut got = Vec::new();
        while got.len() < bytes {
            assert!(self.tls.read_tls(&mut Few(&mut self.tcp, at_once)).unwrap() > 0);
            let state = self.tls.process_new_packets().unwrap();
            let mut part = vec![0; state.plaintext_bytes_to_read()];
            self.tls.reader().read_exact(&mut part).unwrap();
            got.extend(part);
        }
        assert_eq!(got.len(), bytes);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let port = arguments[1].parse().unwrap();
    let is_tls13 = arguments[3] == "1.3";
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&arguments[2]).unwrap()).unwrap();
    let versions = if is_tls13 { &rustls::version::TLS13 } else { &rustls::version::TLS12 };
    let config = ClientConfig::builder_with_protocol_versions(&[versions]);
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());

    let mut a = Peer::connect('A', &config, port);
    if let Some(text) = arguments.get(4) {
        return a.ask(text);
    }
    let mut b = Peer::connect('B', &config, port);

    // Encrypted in one order, sent in another.
    a.encrypt(700);
    b.encrypt(900);
    b.send();
    a.send();
    b.receive(900, 4096);
    a.receive(700, 4096);

    // Encrypted by one thread, sent by another.
    std::thread::scope(|scope| {
        scope.spawn(|| a.encrypt(5000));
        scope.spawn(|| b.encrypt(6000));
    });
    std::thread::scope(|scope| scope.spawn(|| b.send()).join().unwrap());
    a.send();
    std::thread::scope(|scope| {
        scope.spawn(|| b.receive(6000, 4096));
        scope.spawn(|| a.receive(5000, 4096));
    });

    // Cut anywhere.
    a.encrypt_pieces(100_000, 777);
    a.send_few(1000);
    a.receive(100_000, 3001);

    // With new keys, in both directions.
    if is_tls13 {
        a.tls.refresh_traffic_keys().unwrap();
    }
    a.encrypt(40_000);
    a.send();
    a.receive(40_000, 16_384);
    a.encrypt(10);
    a.send();
    a.receive(10, 4096);

    // Most likely at the address of the one before.
    for name in ['C', 'D', 'E'] {
        drop(a);
        a = Peer::connect(name, &config, port);
        a.encrypt(3000);
        a.send();
        a.receive(3000, 4096);
    }
    b.encrypt(1000);
    b.send();
    b.receive(1000, 4096);

    // The place of the record before, and the answer too, may be as they were.
    b.encrypt(1000);
    b.send();
    b.receive_spoiled();
}
