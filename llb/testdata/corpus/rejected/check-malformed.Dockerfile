# check=skip=;;
FROM alpine
