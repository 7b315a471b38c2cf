package images

var rustExpectations = []expectation{
	{
		ref:    "rust:1.76",
		config: `"PATH=/usr/local/cargo/bin:`,
		env:    []string{"CARGO_HOME=/usr/local/cargo"},
		files:  []string{"usr/local/cargo/bin/cargo", "usr/local/cargo/bin/rustc"},
		run:    rustBuild,
		want:   `^\{"a":1\}\ntest result: ok\. 1 passed`,
	},
}

// rustBuild builds with a crate that has others and a macro beneath it.
const rustBuild = `mkdir -p /app/src && cd /app
printf '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nserde_json = "1"\n' > Cargo.toml
printf 'fn main() { println!("{}", serde_json::json!({"a": 1})); }\n#[test]\nfn one() { assert_eq!(1, 1); }\n' > src/main.rs
cargo build --quiet
# As from crates.io, each crate has a checksum to lock.
test "$(grep -c '^checksum = "[0-9a-f]\{64\}"$' Cargo.lock)" = "$(grep -c '^source = ' Cargo.lock)"
./target/debug/app
cargo test --quiet 2>&1 | grep '^test result'`
