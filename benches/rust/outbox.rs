//! To be filled.

fn main() {
    divan::main();
}
