FROM example.com/obstage AS build
RUN a
FROM example.com/obstage AS build
RUN b
FROM build
RUN c
