//! The links of a site, each of which is visited to see what has become of it.

mod site;
mod visit;

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use self::site::{Kind, Site};
use self::visit::{Seen, Visitor};
use super::{Running, Source};
use crate::arithmetic::mix;
use crate::{Answer, WorkError, WorkloadError};

/// A job visits one page of a site that is made up, and served on the loopback
/// interface. Most answer at once, some late, some only when they are asked
/// again, and some never.
pub(crate) struct Links {
    site: Site,
    visitor: Visitor,
}

/// How often a page is tried that does not answer.
const TRIES: u32 = 3;

/// How long the first try waits for an answer, and how long it is until the
/// second; both double from try to try. So a page that never answers is soon
/// given up, and one that is late, since the machine is busy, is not.
const PATIENCE: Duration = Duration::from_millis(15);
const PAUSE: Duration = Duration::from_millis(2);

impl Links {
    /// How many workers suit it: what they do is wait.
    pub(crate) const WORKERS: usize = 64;

    pub(crate) fn new(seed: u64) -> Result<Self, WorkloadError> {
        let site = Site::open(seed).map_err(|error| {
            WorkloadError::new(format!("cannot serve a site: {error}"))
        })?;
        Ok(Self { site, visitor: Visitor::new() })
    }

    /// What the job says of what this try has seen; or how long to wait until
    /// the next one.
    fn verdict(
        &self,
        index: u64,
        tried: u32,
        seen: Result<Seen, WorkError>,
    ) -> Result<Result<Answer, WorkError>, Duration> {
        match seen {
            Ok(Seen::Reset | Seen::Late) if tried < TRIES => {
                Err(doubled(PAUSE, tried))
            }
            // Who has had no handle to answer with tells nothing of the page.
            Ok(Seen::Reset | Seen::Late) if self.site.lacks_handles() => {
                Ok(Err(WorkError::no_handle()))
            }
            // The page answers; it was not heard in time, for all that.
            Ok(Seen::Late) if self.site.kind(index) != Kind::Silent => {
                Ok(Err(WorkError::network(&ErrorKind::TimedOut.into())))
            }
            seen => Ok(seen.map(|seen| answer(index, seen))),
        }
    }
}

/// As long as it is for that try.
fn doubled(first: Duration, tried: u32) -> Duration {
    first * 2_u32.pow(tried - 1)
}

fn answer(index: u64, seen: Seen) -> Answer {
    let word = match seen {
        Seen::Page { hash } => hash,
        Seen::Status(status) => u64::from(status),
        Seen::Reset => 1,
        Seen::Late => 2,
    };
    Answer { digest: mix(mix(index) ^ word), bytes: 0 }
}

impl Source for Links {
    fn len(&self) -> usize {
        self.site.len()
    }

    fn summary(&self, jobs: usize) -> String {
        format!("{jobs} links of a site of {}", self.site.summary())
    }

    fn describe(&self, index: u64) -> String {
        format!("the link to {} (job {index})", self.site.path(index))
    }

    /// As the site was made; nobody visits it.
    fn expected(&self, index: u64) -> Answer {
        let page = Seen::page(self.site.text(index).as_bytes());
        let seen = match self.site.kind(index) {
            Kind::Plain | Kind::Slow => page,
            Kind::Resets(times) if times < TRIES => page,
            Kind::Resets(_) => Seen::Reset,
            Kind::Missing => Seen::Status(404),
            Kind::Silent => Seen::Late,
        };
        answer(index, seen)
    }

    fn run(&self, index: u64) -> Result<Answer, WorkError> {
        let url = self.site.url(index);
        let mut tried = 1;
        loop {
            let seen = self.visitor.visit(&url, tried);
            match self.verdict(index, tried, seen) {
                Ok(answer) => return answer,
                Err(pause) => thread::sleep(pause),
            }
            tried += 1;
        }
    }

    fn run_async(&self, index: u64) -> Option<Running<'_>> {
        Some(Box::pin(async move {
            let url = self.site.url(index);
            let mut tried = 1;
            loop {
                let seen = self.visitor.visit_async(&url, tried).await;
                match self.verdict(index, tried, seen) {
                    Ok(answer) => return answer,
                    Err(pause) => tokio::time::sleep(pause).await,
                }
                tried += 1;
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{SocketAddr, TcpStream};
    use std::sync::{Arc, mpsc};

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    pub(super) fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().unwrap()
    }

    fn address(links: &Links) -> SocketAddr {
        let url = links.site.url(0);
        url["http://".len()..url.len() - "/0".len()].parse().unwrap()
    }

    /// Fails if it takes longer than anything here can.
    pub(super) fn within_time(work: impl FnOnce() + Send + 'static) {
        let (done, is_done) = mpsc::channel();
        let thread = thread::spawn(move || {
            work();
            // Who is gone has failed.
            let _ = done.send(());
        });
        let waited = is_done.recv_timeout(Duration::from_secs(60));
        assert_ne!(waited, Err(mpsc::RecvTimeoutError::Timeout), "hangs");
        thread.join().unwrap();
    }

    /// The first page of that kind.
    fn first(links: &Links, kind: Kind) -> u64 {
        (0..).find(|&index| links.site.kind(index) == kind).unwrap()
    }

    /// What these jobs are expected to answer, and what they do.
    fn check(links: &Links, answers: Vec<(u64, Result<Answer, WorkError>)>) {
        for (index, answer) in answers {
            let kind = links.site.kind(index);
            assert_eq!(answer, Ok(links.expected(index)), "{kind:?}");
        }
    }

    #[test]
    fn every_link_gets_the_verdict_that_is_known_of_it() {
        within_time(|| {
            let links = Links::new(1).unwrap();
            thread::scope(|scope| {
                for start in 0..16 {
                    let indices = (start..links.len() as u64).step_by(16);
                    let visit = |index| (index, links.run(index));
                    let visits = indices.map(visit);
                    scope.spawn(|| check(&links, visits.collect()));
                }
            });
        });
    }

    #[test]
    fn a_task_has_the_same_verdict() {
        within_time(|| {
            let links = Arc::new(Links::new(2).unwrap());
            let visits = |start| {
                let links = Arc::clone(&links);
                async move {
                    let mut answers = Vec::new();
                    for index in (start..links.len() as u64).step_by(16) {
                        let job = links.run_async(index).unwrap();
                        answers.push((index, job.await));
                    }
                    check(&links, answers);
                }
            };
            let runtime = runtime();
            let tasks = (0..16).map(|start| runtime.spawn(visits(start)));
            for task in tasks.collect::<Vec<_>>() {
                runtime.block_on(task).unwrap();
            }
        });
    }

    #[test]
    fn a_page_resets_as_often_as_it_should() {
        within_time(|| {
            let links = Links::new(1).unwrap();
            let runtime = runtime();
            // The machine may be too busy for the first try's patience.
            let in_time = |visit: &dyn Fn() -> Result<Seen, WorkError>| {
                let mut seen = std::iter::repeat_with(visit);
                seen.find(|seen| *seen != Ok(Seen::Late)).unwrap()
            };
            for times in [1, 2, u32::MAX] {
                let index = first(&links, Kind::Resets(times));
                let url = links.site.url(index);
                for tried in 1..=TRIES {
                    let seen = match tried <= times {
                        true => Seen::Reset,
                        false => Seen::page(links.site.text(index).as_bytes()),
                    };
                    let visitor = &links.visitor;
                    let visit = || visitor.visit(&url, tried);
                    assert_eq!(in_time(&visit), Ok(seen));
                    let visit =
                        || runtime.block_on(visitor.visit_async(&url, tried));
                    assert_eq!(in_time(&visit), Ok(seen));
                }
            }
        });
    }

    #[test]
    fn what_does_not_answer_is_tried_three_times() {
        within_time(|| {
            let links = Links::new(1).unwrap();
            let silent = first(&links, Kind::Silent);
            for seen in [Seen::Reset, Seen::Late] {
                let verdict = |tried| links.verdict(silent, tried, Ok(seen));
                assert_eq!(verdict(1), Err(PAUSE));
                assert_eq!(verdict(2), Err(PAUSE * 2));
                assert_eq!(verdict(3), Ok(Ok(answer(silent, seen))));
            }
            // That a page which answers was not heard says nothing of it.
            let plain = first(&links, Kind::Plain);
            let verdict = links.verdict(plain, 3, Ok(Seen::Late));
            assert!(matches!(verdict, Ok(Err(_))));
            let missing = Seen::Status(404);
            let verdict = links.verdict(7, 1, Ok(missing));
            assert_eq!(verdict, Ok(Ok(answer(7, missing))));
        });
    }

    #[test]
    fn a_want_of_handles_is_no_verdict() {
        within_time(|| {
            let links = Links::new(1).unwrap();
            links.site.lack_handles();
            let verdict = links.run(first(&links, Kind::Silent));
            assert_eq!(verdict, Err(WorkError::no_handle()));
            // Who was served was served.
            let plain = first(&links, Kind::Plain);
            assert_eq!(links.run(plain), Ok(links.expected(plain)));
        });
    }

    #[test]
    fn a_site_survives_nonsense_and_silence() {
        within_time(|| {
            let links = Links::new(1).unwrap();
            let _silent = TcpStream::connect(address(&links)).unwrap();
            for nonsense in
                [&b"\xff\0\r\n\r\n"[..], b"GET", b"GET /x HTTP/1.1"]
            {
                let mut odd = TcpStream::connect(address(&links)).unwrap();
                odd.write_all(nonsense).unwrap();
            }
            for page in ["/", "/300", "/-1", "/18446744073709551616", "/0/0"] {
                let url = format!("http://{}{page}", address(&links));
                let seen = links.visitor.visit(&url, 3);
                assert_eq!(seen, Ok(Seen::Status(404)), "{page}");
            }
            assert_eq!(links.run(0), Ok(links.expected(0)));
        });
    }

    #[test]
    fn a_site_ends_with_its_work_though_somebody_waits() {
        within_time(|| {
            let links = Links::new(1).unwrap();
            let address = address(&links);
            let _idle = TcpStream::connect(address).unwrap();
            // In a task too, where a job may be the last to know of it.
            runtime().block_on(async {
                let url = links.site.url(first(&links, Kind::Silent));
                let visit = links.visitor.visit_async(&url, 1);
                assert_eq!(visit.await, Ok(Seen::Late));
                drop(links);
            });
            assert!(TcpStream::connect(address).is_err());
        });
    }

    /// The states of the connections of that port, at both of their ends.
    #[cfg(target_os = "linux")]
    fn states(port: u16) -> Vec<String> {
        const LISTENS: &str = "0A";
        let all = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let address = format!("0100007F:{port:04X} ");
        let of_port = all.lines().filter(|line| line.contains(&address));
        let state =
            |line: &str| line.split_whitespace().nth(3).map(Into::into);
        let states = of_port.filter_map(state);
        states.filter(|state: &String| state != LISTENS).collect()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_visitor_that_leaves_keeps_no_port() {
        const TIME_WAIT: &str = "06";
        within_time(|| {
            let mut links = Links::new(1).unwrap();
            let port = address(&links).port();
            let runtime = runtime();
            for index in 0..30 {
                links.run(index).unwrap();
                let job = links.run_async(index).unwrap();
                runtime.block_on(job).unwrap();
            }
            assert!(states(port).len() >= 4, "both faces keep a connection");
            drop(runtime);
            links.visitor = Visitor::new();
            loop {
                let states = states(port);
                assert!(!states.contains(&TIME_WAIT.into()), "{states:?}");
                if states.is_empty() {
                    break;
                }
                thread::yield_now();
            }
        });
    }
}
