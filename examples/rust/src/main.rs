//! Answers GET /1999 with MCMXCIX, and GET /MCMXCIX with 1999.

mod numeral;

use std::{env, process::exit};
use tiny_http::{Request, Response, Server};

fn answer(path: &str) -> Option<String> {
    let word = path.trim_start_matches('/');
    match word.parse() {
        Ok(number) => numeral::write(number),
        Err(_) => numeral::read(word).map(|number| number.to_string()),
    }
}

fn reply(request: Request) {
    let response = match answer(request.url()) {
        Some(text) => Response::from_string(text + "\n"),
        None => Response::from_string("ask for /1999 or /MCMXCIX\n").with_status_code(404),
    };
    // A client that went away is no reason to stop.
    let _ = request.respond(response);
}

fn main() {
    let port = env::var("PORT").unwrap_or_else(|_| "8080".into());
    let server = match Server::http(format!("0.0.0.0:{port}")) {
        Ok(server) => server,
        Err(err) => {
            eprintln!("cannot listen on port {port}: {err}");
            exit(1);
        }
    };
    println!("listening on port {port}");
    for request in server.incoming_requests() {
        reply(request);
    }
}
