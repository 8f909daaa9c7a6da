#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    manyhands_cli::fuzz::document(bytes);
});
