using System.Net;
using Quarters.Node.Tests;

namespace Quarters.Sources.Tests.Aur;

/// <summary>Stands before a server and lets who begins to fetch a repository in when so many wait, and not
/// before.</summary>
internal sealed class Gate : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false });
    private readonly Uri _behind;
    private readonly int _width;
    private readonly Task _listening;
    private readonly Lock _gate = new();
    private TaskCompletionSource _opened = NewWave();
    private int _waiting;

    internal Gate(Uri behind, int width)
    {
        (_behind, _width) = (behind, width);
        Address = new Uri($"http://127.0.0.1:{FreePort.Take()}/");
        _listener.Prefixes.Add(Address.AbsoluteUri);
        _listener.Start();
        _listening = ListenAsync();
    }

    internal Uri Address { get; }

    /// <summary>How many waited at once at the most.</summary>
    internal int Most { get; private set; }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _listening;
        _client.Dispose();
    }

    private static TaskCompletionSource NewWave() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task ListenAsync()
    {
        var answers = new List<Task>();
        try
        {
            while (true)
                answers.Add(AnswerAsync(await _listener.GetContextAsync()));
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
            new HttpMethod(request.HttpMethod), new Uri(_behind, request.Url.PathAndQuery));
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

        using var answer = await _client.SendAsync(onward);
        response.StatusCode = (int)answer.StatusCode;
        response.ContentType = answer.Content.Headers.ContentType?.ToString();
        await response.OutputStream.WriteAsync(await answer.Content.ReadAsByteArrayAsync());
        response.Close();
    }

    private async Task PassAsync()
    {
        Task wave;
        lock (_gate)
        {
            Most = Math.Max(Most, ++_waiting);
            wave = _opened.Task;
            if (_waiting == _width)
                _ = OpenAsync();
        }

        await wave.WaitAsync(TimeSpan.FromMinutes(2));
    }

    private async Task OpenAsync()
    {
        // Time for one more than are allowed, if there is one.
        await Task.Delay(500);
        lock (_gate)
        {
            _opened.SetResult();
            (_opened, _waiting) = (NewWave(), 0);
        }
    }
}
