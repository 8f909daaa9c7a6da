//! The example `web_jobs`, as its users run it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use manyhands_conformance::watchdog;

/// Built with the tests, beside the folder that they are in.
fn program() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples/web_jobs");
    assert!(path.exists(), "build it first: cargo build --examples");
    path
}

struct Service {
    process: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Service {
    fn start(mail_server: Option<SocketAddr>) -> Self {
        let mut command = Command::new(program());
        command.arg("127.0.0.1:0").stdout(Stdio::piped());
        command.args(mail_server.map(|it| it.to_string()));
        let mut process = command.spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.expect(&line).parse().unwrap();
        Self { process, stdout, address }
    }

    /// The status, and the body.
    fn request(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut server = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        write!(
            server,
            "{method} {path} HTTP/1.1\r\nhost: it\r\nconnection: close\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut response = String::new();
        server.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn terminate(&self) {
        let id = self.process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        assert!(told.unwrap().success());
    }

    /// All that it still prints, and whether it ended well.
    fn end(mut self) -> (String, bool) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (rest, self.process.wait().unwrap().success())
    }
}

/// A line that a client said, and where what is replied goes.
type Letter = (String, Sender<&'static [u8]>);

/// Hands on each line that a client says, and replies what it is told.
fn mail_server() -> (SocketAddr, Receiver<Letter>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (lines, taken) = channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let lines = lines.clone();
            thread::spawn(move || {
                let mut line = String::new();
                BufReader::new(&client).read_line(&mut line).unwrap();
                let (reply, replied) = channel();
                lines.send((line.trim().to_owned(), reply)).unwrap();
                // Without a reply it hangs up.
                if let Ok(reply) = replied.recv() {
                    (&client).write_all(reply).unwrap();
                }
            });
        }
    });
    (address, taken)
}

#[test]
fn it_answers_refuses_nonsense_and_tells_prometheus() {
    watchdog(|| {
        let service = Service::start(None);
        let (status, body) = service.request("GET", "/primes/1000", "");
        assert_eq!((status, body.as_str()), (200, "168\n"));
        for (method, path, body, expected) in [
            ("GET", "/primes/99999999999", "", 400),
            ("GET", "/primes/x", "", 400),
            ("POST", "/signup", "no address", 400),
            ("GET", "/signup", "", 405),
            ("GET", "/", "", 404),
        ] {
            let (status, _) = service.request(method, path, body);
            assert_eq!(status, expected, "{method} {path}");
        }
        let (status, metrics) = service.request("GET", "/metrics", "");
        assert_eq!(status, 200);
        assert!(metrics.contains("manyhands_jobs_accepted_total 1\n"));
        service.terminate();
        let (rest, is_fine) = service.end();
        assert!(is_fine);
        assert_eq!(rest, "ended: 1 jobs accepted, 0 not run, 0 not ended\n");
    });
}

#[test]
fn after_sigterm_each_mail_that_was_accepted_is_sent_once() {
    const MAILS: usize = 20;
    watchdog(|| {
        let (address, taken) = mail_server();
        let service = Service::start(Some(address));
        for number in 0..MAILS {
            let to = format!("user{number}@example.org");
            // Before any of it is sent: nobody has replied to anything yet.
            let (status, _) = service.request("POST", "/signup", &to);
            assert_eq!(status, 202);
        }
        service.terminate();
        // Some are sent at once, some at the third attempt, one never.
        let mut attempts: BTreeMap<String, u32> = BTreeMap::new();
        let mut sent = Vec::new();
        while sent.len() < MAILS - 1 {
            let (mail, reply) = taken.recv().unwrap();
            let tried = attempts.entry(mail.clone()).or_default();
            *tried += 1;
            if mail.contains("user7@") {
                drop(reply);
            } else if mail.contains("5@") && *tried < 3 {
                reply.send(b"451\n").unwrap();
            } else {
                sent.push(mail);
                reply.send(b"250\n").unwrap();
            }
        }
        let rest = thread::spawn(move || service.end());
        // What comes until it ends is of the one that is never taken.
        while !rest.is_finished() {
            let wait = std::time::Duration::from_millis(10);
            let Ok((mail, _)) = taken.recv_timeout(wait) else { continue };
            assert!(mail.contains("user7@"), "{mail} came again");
            *attempts.entry(mail).or_default() += 1;
        }
        let (rest, is_fine) = rest.join().unwrap();
        assert!(is_fine, "{rest}");
        assert_eq!(
            rest,
            format!("ended: {MAILS} jobs accepted, 0 not run, 0 not ended\n")
        );
        sent.sort();
        sent.dedup();
        assert_eq!(sent.len(), MAILS - 1, "{sent:?}");
        for (mail, tried) in attempts {
            let expected = match &mail {
                mail if mail.contains("user7@") => 4,
                mail if mail.contains("5@") => 3,
                _ => 1,
            };
            assert_eq!(tried, expected, "{mail}");
        }
    });
}

#[test]
fn what_it_cannot_do_it_says_in_a_line() {
    for (arguments, expected) in [
        (["127.0.0.1:99999", ""], "cannot listen on 127.0.0.1:99999"),
        (["127.0.0.1:0", "x"], "the mail server is x, allowed is an IP:PORT"),
    ] {
        let arguments = arguments.into_iter().filter(|it| !it.is_empty());
        let output = Command::new(program()).args(arguments).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(line.contains(expected), "{line}");
        assert_eq!(line.lines().count(), 1);
        assert_eq!(output.status.code(), Some(2));
    }
}
