using System.Net;
using Quarters.Node.Tests;

namespace Quarters.Sources.Tests.Aur;

/// <summary>Stands before a server and lets who begins to fetch a repository in when so many wait, and not
/// before.</summary>
internal sealed class Gate : IAsyncDisposable
{
    private readonly HttpListener listener = new();
    private readonly HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly Uri behind;
    private readonly int width;
    private readonly Task listening;
    private readonly Lock gate = new();
    private TaskCompletionSource opened = NewWave();
    private int waiting;

    internal Gate(Uri behind, int width)
    {
        (this.behind, this.width) = (behind, width);
        Address = new Uri($"http://127.0.0.1:{FreePort.Take()}/");
        listener.Prefixes.Add(Address.AbsoluteUri);
        listener.Start();
        listening = ListenAsync();
    }

    internal Uri Address { get; }

    /// <summary>How many waited at once at the most.</summary>
    internal int Most { get; private set; }

    public async ValueTask DisposeAsync()
    {
        listener.Close();
        await listening;
        client.Dispose();
    }

    private static TaskCompletionSource NewWave() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task ListenAsync()
    {
        var answers = new List<Task>();
        try
        {
            while (true)
                answers.Add(AnswerAsync(await listener.GetContextAsync()));
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // It was closed.
        }

        await Task.WhenAll(answers);
    }

    private async Task AnswerAsync(HttpListenerContext question)
    {
        var (request, response) = (question.Request, question.Response);
        if (request.Url!.AbsolutePath.EndsWith(".git/info/refs", StringComparison.Ordinal))
            await PassAsync();
        using var onward = new HttpRequestMessage(
            new HttpMethod(request.HttpMethod), new Uri(behind, request.Url.PathAndQuery));
        if (request.HasEntityBody)
        {
            using var body = new MemoryStream();
            await request.InputStream.CopyToAsync(body);
            onward.Content = new ByteArrayContent(body.ToArray());
            foreach (var name in new[] { "Content-Type", "Content-Encoding" })
            {
                if (request.Headers[name] is { } value)
                    onward.Content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var answer = await client.SendAsync(onward);
        response.StatusCode = (int)answer.StatusCode;
        response.ContentType = answer.Content.Headers.ContentType?.ToString();
        await response.OutputStream.WriteAsync(await answer.Content.ReadAsByteArrayAsync());
        response.Close();
    }

    private async Task PassAsync()
    {
        Task wave;
        lock (gate)
        {
            Most = Math.Max(Most, ++waiting);
            wave = opened.Task;
            if (waiting == width)
                _ = OpenAsync();
        }

        await wave.WaitAsync(TimeSpan.FromMinutes(2));
    }

    private async Task OpenAsync()
    {
        // Time for one more than are allowed, if there is one.
        await Task.Delay(500);
        lock (gate)
        {
            opened.SetResult();
            (opened, waiting) = (NewWave(), 0);
        }
    }
}
