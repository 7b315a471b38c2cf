FROM example.com/obtwo
