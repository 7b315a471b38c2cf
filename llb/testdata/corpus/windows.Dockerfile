# escape=`
FROM mcr.microsoft.com/windows/nanoserver:ltsc2022 AS build
WORKDIR C:\src
COPY . .
COPY file.txt C:\dst\
COPY dir\sub\ .\rel\
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop';"]
RUN Write-Host hello; `
    Write-Host $env:PATH
RUN <<EOT
echo in a document
EOT
ENV PATH="C:\tools;${PATH}"
WORKDIR relative\dir
COPY <<EOT C:\docs\
text
EOT
ADD https://example.com/x.zip C:/
RUN --mount=type=secret,id=x,target=C:/secrets/x type C:\secrets\x
USER ContainerAdministrator
FROM mcr.microsoft.com/windows/nanoserver:ltsc2022
COPY --from=build C:\src\out.exe C:\out.exe
ENTRYPOINT ["C:\\out.exe"]
