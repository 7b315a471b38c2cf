FROM alpine
# Both ADD and ARG are equally near.
APT install x
