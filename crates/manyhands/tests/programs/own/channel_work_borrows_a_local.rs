// E0597: threads that were started live as long as they like.
fn main() {
    let factor = 2;
    #[cfg(not(feature = "misuse"))]
    let by = factor;
    #[cfg(feature = "misuse")]
    let by = &factor;
    let work = move |_id, job: u32| job * by;
    let _ = manyhands::channel::start(2, 2, work);
}
