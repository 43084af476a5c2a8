using System.CommandLine;

namespace Quarters.Commands;

/// <summary><c>quarters completion SHELL</c>: the script that a shell sources. It asks the program itself what may
/// follow.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _quarters() {
          local IFS=$'\n'
          local found=$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
          COMPREPLY=($(compgen -W "$found" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _quarters quarters
        """;

    private const string Zsh = """
        #compdef quarters
        _quarters() {
          local -a found
          found=("${(@f)$("${words[1]}" "[suggest:${#BUFFER}]" "${BUFFER}" 2>/dev/null)}")
          compadd -- "${found[@]}" || _files
        }
        # In a directory of fpath this file is the function itself, and was called to complete.
        if [[ ${funcstack[1]} == _quarters ]]; then _quarters; else compdef _quarters quarters; fi
        """;

    private const string Fish = """
        function __quarters_suggest
            set -l line (commandline -cp)
            quarters "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
        end
        complete -c quarters -a '(__quarters_suggest)'
        """;

    internal static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Print the script by which a shell completes commands and options.")
        {
            shell,
        };
        command.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetRequiredValue(shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                _ => Fish,
            });
            return ExitCode.Done;
        });
        return command.WithExample("""
            source <(quarters completion bash)
            source <(quarters completion zsh)                after compinit; or as _quarters in a directory of fpath
            quarters completion fish > ~/.config/fish/completions/quarters.fish
            """);
    }
}
