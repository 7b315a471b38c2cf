FROM example.com/obself AS a
RUN x
