//! Roman numerals from 1 to 3999, written in the usual subtractive way.

const SYMBOLS: [(u32, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// Writes a number; `None` where there is no numeral for it.
pub fn write(mut number: u32) -> Option<String> {
    if !(1..4000).contains(&number) {
        return None;
    }
    let mut numeral = String::new();
    for (value, symbol) in SYMBOLS {
        while number >= value {
            numeral.push_str(symbol);
            number -= value;
        }
    }
    Some(numeral)
}

/// Reads a numeral of either case; `None` where the text is not one.
pub fn read(text: &str) -> Option<u32> {
    let text = text.to_ascii_uppercase();
    let (mut rest, mut number) = (text.as_str(), 0);
    for (value, symbol) in SYMBOLS {
        while let Some(after) = rest.strip_prefix(symbol) {
            rest = after;
            number += value;
        }
    }
    // IIII and the like add up too, but are not how the number is written.
    if rest.is_empty() && write(number).as_deref() == Some(&text) {
        Some(number)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn every_number_can_be_read_again() {
        for number in 1..4000 {
            assert_eq!(read(&write(number).unwrap()), Some(number));
        }
    }

    #[test]
    fn there_is_an_end_on_both_sides() {
        assert_eq!(write(0), None);
        assert_eq!(write(4000), None);
        assert_eq!(write(3999).as_deref(), Some("MMMCMXCIX"));
    }

    #[test]
    fn what_nobody_writes_is_refused() {
        for text in ["", "IIII", "IC", "VX", "MMMM", "XIIX", "12", "ſ"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("mcmxcix"), Some(1999));
    }
}
