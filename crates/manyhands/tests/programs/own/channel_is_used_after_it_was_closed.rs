// E0382: to drop the sender is to close the channel.
fn main() {
    let work = |_id, job: u32| job * 2;
    let (jobs, results, workers) = manyhands::channel::start(2, 2, work).unwrap();
    drop(jobs);
    #[cfg(feature = "misuse")]
    let _ = jobs.send(1);
    drop((results, workers));
}
