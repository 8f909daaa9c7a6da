// E0597: a group may be dropped before its functions have ended.
use manyhands::errgroup::Group;

fn main() {
    let words = String::from("many hands");
    #[cfg(not(feature = "misuse"))]
    let borrowed = words.clone();
    #[cfg(feature = "misuse")]
    let borrowed = &words;
    let group = Group::new();
    let check = move |_ctx: &_| Err(borrowed.len());
    let _ = group.go(check);
}
