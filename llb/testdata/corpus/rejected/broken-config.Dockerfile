FROM example.com/broken
