//! Servers that belong to some work.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread::{self, JoinHandle};

use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// A server on the loopback interface, on a port that was free, with a runtime
/// and a thread of its own. Dropped, it ends; nothing of it is left then.
pub(crate) struct Served {
    address: SocketAddr,
    /// Dropped, it tells the thread to end.
    going: Option<oneshot::Sender<()>>,
    /// A plain one, and not a runtime's: those cannot be waited for by who
    /// drops the work within a task.
    thread: Option<JoinHandle<()>>,
}

/// How many may come at once before the first is let in.
const BACKLOG: u32 = 1024;

impl Served {
    /// Starts it; `serve` goes on until it is dropped.
    pub(crate) fn start<F>(
        name: &str,
        serve: impl FnOnce(TcpListener) -> F,
    ) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(async { listen() })?;
        let address = listener.local_addr()?;
        let (going, ended) = oneshot::channel();
        let serving = serve(listener);
        let thread = thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || {
            runtime.spawn(serving);
            let _ = runtime.block_on(ended);
        })?;
        Ok(Self { address, going: Some(going), thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.going.take());
        if let Some(thread) = self.thread.take() {
            // What is under way is dropped with its runtime.
            let _ = thread.join();
        }
    }
}

fn listen() -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(BACKLOG)
}
