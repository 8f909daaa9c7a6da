// E0277: all threads map by the same function.
use manyhands::rayon::RayonThreads;

fn main() {
    let threads = RayonThreads::start(2).unwrap();
    #[cfg(not(feature = "misuse"))]
    let factor = std::sync::Arc::new(2);
    #[cfg(feature = "misuse")]
    let factor = std::rc::Rc::new(2);
    threads.par_map(1..4_u32, |number| number * *factor);
}
