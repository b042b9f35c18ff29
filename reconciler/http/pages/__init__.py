"""The web pages: rendered here, working without script, needing nothing from elsewhere. `visiting` says who looks,
`gathering` what they may see, and a module for each page how it is shown."""
